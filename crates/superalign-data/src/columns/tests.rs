//! Cells of every kind, from every container.

use super::*;
use ::parquet::arrow::ArrowWriter;
use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Int64Array, ListArray, StringArray,
};
use arrow::datatypes::{Float32Type, Float64Type};
use arrow::record_batch::RecordBatch;
use proptest::prelude::*;

fn of(name: &str, content: impl AsRef<[u8]>) -> Result<Columns, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    read(&path)
}

fn numbers(columns: &Columns, name: &str) -> Vec<f64> {
    match &columns.get(name).unwrap().cells {
        Cells::Numbers(numbers) => numbers.clone(),
        other => panic!("{other:?}"),
    }
}

fn texts(columns: &Columns, name: &str) -> Vec<Option<String>> {
    match &columns.get(name).unwrap().cells {
        Cells::Texts(texts) => texts
            .codes
            .iter()
            .map(|&code| texts.distinct.get(code as usize).map(ToString::to_string))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn a_column_is_of_numbers_until_a_text_comes_up() {
    let read = of("a.csv", "a,b,c,d\n1.50,007,1,NA\n-2,8,,x\n1e3,9,1234567890123456,\n").unwrap();
    assert_eq!(numbers(&read, "a"), [1.5, -2.0, 1000.0]);
    // Zeros in front, or many digits, are those of an identifier; it keeps its letters from the first row on.
    assert_eq!(texts(&read, "b"), some(&["007", "8", "9"]));
    assert_eq!(texts(&read, "c"), some(&["1", "", "1234567890123456"]));
    assert_eq!(texts(&read, "d"), some(&["NA", "x", ""]));
    let codes = read.get("d").unwrap().codes().unwrap();
    assert_eq!((codes.codes, codes.names), (vec![NOTHING, 0, NOTHING], vec!["x".to_owned()]));
}

#[test]
fn categories_are_sorted_numbers_by_size() {
    let read = of("a.csv", "a,b,c\n10,10,x\n9,9,X\n1e9,y,x\n9,,x \n").unwrap();
    let codes = |name| read.get(name).unwrap().codes().unwrap();
    assert_eq!(codes("a").names, ["9", "10", "1000000000"]);
    assert_eq!(codes("a").codes, [1, 0, 2, 0]);
    assert_eq!((codes("b").names, codes("b").values), (vec!["10".into(), "9".into(), "y".into()], None));
    assert_eq!(codes("c").codes, [1, 0, 1, 1]);
    let read = of("a.jsonl", "{\"a\":\"10\"}\n{\"a\":\"9\"}\n").unwrap();
    assert_eq!(read.get("a").unwrap().codes().unwrap().values, Some(vec![9.0, 10.0]));
}

#[test]
fn json_has_numbers_texts_lists_and_gaps() {
    let text = "{\"a\":1,\"b\":[1,null],\"c\":true}\n\n{\"b\":[3,4],\"c\":\"x\",\"d\":[[1],[2]]}\n{\"a\":\"y\",\"b\":[5],\"c\":null}\n";
    let read = of("a.jsonl", text).unwrap();
    assert_eq!(texts(&read, "a"), [Some("1".to_owned()), None, Some("y".to_owned())]);
    assert_eq!(texts(&read, "c"), [Some("true".to_owned()), Some("x".to_owned()), None]);
    let Cells::Mixed { row: 2, found, expected } = &read.get("b").unwrap().cells else { panic!() };
    assert_eq!((found.as_str(), expected.as_str()), ("a list of 1", "a list of 2 numbers, as before"));
    assert!(matches!(read.get("d").unwrap().cells, Cells::Mixed { row: 1, .. }));
    let read = of("a.json", "[{\"x\":[[1,2,3],[4,5,6]]},\n{\"x\":[[7,8,9],[0,1,2]]}]").unwrap();
    let Cells::Lists { shape, values } = &read.get("x").unwrap().cells else { panic!() };
    assert_eq!((shape.as_slice(), values.len()), (&[2, 3][..], 12));
}

#[test]
fn rows_are_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let places = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let columns = read(&path).unwrap();
        (0..columns.rows).map(|row| columns.at(row)).collect::<Vec<_>>()
    };
    let lines = |lines: &[u64]| lines.iter().map(|&line| At::Line(line)).collect::<Vec<_>>();
    assert_eq!(places("a.csv", "a,b\r\n1,\"x\r\ny\"\r\n\r\n2,z\r\n"), lines(&[2, 5]));
    assert_eq!(places("a.jsonl", "{\"a\":1}\n\n{\"a\":2}\n"), lines(&[1, 3]));
    assert_eq!(places("a.json", "[{\"a\":1},\n\n{\"a\":2}]"), lines(&[1, 3]));
}

#[test]
fn lists_stand_in_tables_as_in_json() {
    let read = of("a.csv", "v,w\n\"[1, 2]\",[x\n\"[3, 4]\",[y\n").unwrap();
    assert_eq!(
        read.get("v").unwrap().cells,
        Cells::Lists { shape: vec![2], values: vec![1.0, 2.0, 3.0, 4.0] }
    );
    assert_eq!(texts(&read, "w"), some(&["[x", "[y"]));
}

#[test]
fn parquet_has_all_of_it() {
    let lists = |rows: &[[f64; 2]]| {
        ListArray::from_iter_primitive::<Float64Type, _, _>(
            rows.iter().map(|row| Some(row.iter().map(|&x| Some(x)))),
        )
    };
    let fixed = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(
        [Some([Some(0.5), None]), Some([Some(1.0), Some(2.0)])],
        2,
    );
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", Arc::new(StringArray::from(vec![Some("a"), None]))),
        ("whole", Arc::new(Int64Array::from(vec![Some(3), None]))),
        ("id", Arc::new(Int64Array::from(vec![i64::MAX, 1]))),
        ("real", Arc::new(Float32Array::from(vec![0.5, f32::NAN]))),
        ("truth", Arc::new(BooleanArray::from(vec![true, false]))),
        ("list", Arc::new(lists(&[[1.0, 2.0], [3.0, 4.0]]))),
        ("fixed", Arc::new(fixed)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let read = of("a.parquet", bytes).unwrap();
    assert_eq!(texts(&read, "text"), [Some("a".to_owned()), None]);
    assert!(numbers(&read, "whole")[1].is_nan() && numbers(&read, "real")[1].is_nan());
    assert_eq!((numbers(&read, "whole")[0], numbers(&read, "real")[0]), (3.0, 0.5));
    assert_eq!(texts(&read, "id"), some(&["9223372036854775807", "1"]));
    assert_eq!(texts(&read, "truth"), some(&["true", "false"]));
    assert_eq!(
        read.get("list").unwrap().cells,
        Cells::Lists { shape: vec![2], values: vec![1.0, 2.0, 3.0, 4.0] }
    );
    let Cells::Lists { values, .. } = &read.get("fixed").unwrap().cells else { panic!() };
    assert!(values[1].is_nan() && values[2..] == [1.0, 2.0]);
    assert_eq!(read.at(1), At::Row(2));
}

/// An array as NumPy writes it.
fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn arrays_of_every_kind_and_order() {
    let values = |bytes: Vec<u8>| match of("a.npy", bytes).unwrap().columns.remove(0).cells {
        Cells::Lists { shape, values } => (shape, values),
        Cells::Numbers(values) => (vec![], values),
        other => panic!("{other:?}"),
    };
    let le = |x: [f32; 4]| x.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>();
    let be = |x: [f64; 2]| x.iter().flat_map(|x| x.to_be_bytes()).collect::<Vec<_>>();
    assert_eq!(
        values(npy("<f4", false, "(2, 2)", &le([1.0, 2.0, 3.0, 4.0]))),
        (vec![2], vec![1.0, 2.0, 3.0, 4.0])
    );
    assert_eq!(
        values(npy("<f4", true, "(2, 2)", &le([1.0, 2.0, 3.0, 4.0]))),
        (vec![2], vec![1.0, 3.0, 2.0, 4.0])
    );
    assert_eq!(values(npy(">f8", false, "(2,)", &be([1.5, -2.0]))), (vec![], vec![1.5, -2.0]));
    assert_eq!(values(npy("|i1", false, "(1, 1, 2)", &[255, 2])), (vec![1, 2], vec![-1.0, 2.0]));
    assert_eq!(values(npy("<f2", false, "(1, 1)", &[0, 0x3c])), (vec![1], vec![1.0]));
    assert_eq!(values(npy("|b1", false, "(2,)", &[0, 1])), (vec![], vec![0.0, 1.0]));
}

#[test]
fn arrays_that_are_none() {
    let said = |bytes: Vec<u8>| {
        let error = of("a.npy", bytes).unwrap_err().to_string();
        error.split_once("a.npy: ").unwrap().1.to_owned()
    };
    insta::assert_snapshot!(
        [
            said(npy("<f4", false, "(2, 2)", &[0; 15])),
            said(npy("<f4", false, "(18446744073709551615, 2)", &[0; 16])),
            said(npy("<c8", false, "(1,)", &[0; 8])),
            said(npy("<f4", false, "()", &[0; 4])),
            said(npy("<f4", false, "(0, 3)", &[])),
            said(npy("<f4", false, "(3, 0)", &[])),
            said(npy("<f4", false, "(1, 1, 1, 1, 1)", &[0; 4])),
            said(npy("<f4", false, "(x)", &[0; 4])),
            said(b"\x93NUMPY\x09\x00\x00\x00".to_vec()),
            said(b"\x93NUMPY".to_vec()),
        ]
        .join("\n")
    );
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), name in 0..5_usize) {
        let name = ["a.csv", "a.tsv", "a.jsonl", "a.json", "a.npy"][name];
        let mut content = if name == "a.npy" { b"\x93NUMPY\x01\x00".to_vec() } else { Vec::new() };
        content.extend(bytes);
        _ = of(name, content);
    }

    #[test]
    fn numbers_and_texts_come_back(cells in prop::collection::vec(("[a-z ,;\"\n]{1,6}", -1e6_f64..1e6), 1..20)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["t", "x"]).unwrap();
        for (text, x) in &cells {
            writer.write_record([format!("t{text}"), f64::to_string(x)]).unwrap();
        }
        let read = of("a.csv", writer.into_inner().unwrap()).unwrap();
        prop_assert_eq!(numbers(&read, "x"), cells.iter().map(|(_, x)| *x).collect::<Vec<_>>());
        prop_assert_eq!(texts(&read, "t"), cells.iter().map(|(text, _)| Some(format!("t{text}"))).collect::<Vec<_>>());
    }
}

#[test]
fn a_file_in_memory_reads_as_on_disk() {
    let files = [
        ("a.csv", &b"\xef\xbb\xbfitem,label\na,1\nb,\n"[..]),
        ("b.tsv", b"item\tlabel\na\t1\n"),
        ("c.jsonl", b"\xef\xbb\xbf{\"item\": \"a\", \"label\": [1, 2]}\n\n{\"item\": 3}\n"),
        ("d.json", b"[{\"item\": \"a\"}, {\"item\": null}]"),
        ("e.csv", b"item,label\n\n1,x,y\n"),
        ("f.json", b"[{\"item\": 1},"),
        ("g.csv", b""),
        ("h.csv", b"item\n\xff\n"),
        ("i.npy", b"\x93NUMPY\x01\x00"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        match (read(&path), read_bytes(name, bytes.to_vec())) {
            (Ok(disk), Ok(memory)) => {
                // As text, since an empty number is not equal to itself.
                let said = |file: &Columns| format!("{} {} {:?}", file.rows, file.digest, file.columns);
                assert_eq!(said(&disk), said(&memory), "{name}");
                (0..disk.rows).for_each(|row| assert_eq!(disk.at(row), memory.at(row), "{name}"));
            }
            (Err(disk), Err(memory)) => {
                let place = path.display().to_string();
                assert_eq!(disk.to_string().replace(&place, name), memory.to_string());
            }
            (disk, memory) => panic!("{name}: {disk:?}, {memory:?}"),
        }
    }
    let parquet = read_bytes("x.parquet", b"PAR1".to_vec()).unwrap_err().to_string();
    assert!(parquet.contains("found a Parquet file"), "{parquet}");
}

#[test]
fn columns_that_are_handed_over_must_fit() {
    let column =
        |name: &str, values: Vec<f64>| Column { name: name.to_owned(), cells: Cells::Numbers(values) };
    let new = |columns| Columns::new("x.parquet", Container::Parquet, String::new(), columns);
    assert_eq!(new(vec![column("a", vec![1.0]), column("b", vec![2.0])]).unwrap().rows, 1);
    let message = |columns| new(columns).unwrap_err().to_string();
    assert!(message(vec![column("a", vec![1.0]), column("b", vec![])]).contains("`b` to have 1 cells"));
    assert!(message(vec![column("a", vec![1.0]), column("a", vec![1.0])]).contains("`a` once"));
    assert!(message(vec![column("a", vec![])]).contains("without rows"));
}

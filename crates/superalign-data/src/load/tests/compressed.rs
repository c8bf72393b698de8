//! Parquet in every compression that is read, and the words for those that are not.

use super::*;
use ::parquet::basic::{Compression, CompressionCodec, GzipLevel, ZstdLevel};
use ::parquet::data_type::{ByteArray, ByteArrayType};
use ::parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

const COLUMNS: [(&str, [&str; 2]); 4] = [
    ("question", ["Is it wet?", "Is it dry?"]),
    ("choice0", ["yes", "yes"]),
    ("choice1", ["no", "no"]),
    ("label", ["yes", "no"]),
];

/// A Parquet file of two tasks.
fn packed(compression: Compression) -> Vec<u8> {
    let fields = COLUMNS.map(|(name, _)| format!("required binary {name} (STRING);")).concat();
    let schema = parse_message_type(&format!("message tasks {{ {fields} }}")).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema.into(), properties.into()).unwrap();
    let mut group = file.next_row_group().unwrap();
    for (_, texts) in COLUMNS {
        let mut column = group.next_column().unwrap().unwrap();
        let values = texts.map(ByteArray::from);
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    file.close().unwrap();
    bytes
}

/// The same file, whose footer says another compression: enough for a refusal before the first page.
fn relabelled(codec: CompressionCodec) -> Vec<u8> {
    let mut bytes = packed(Compression::UNCOMPRESSED);
    let written = write("a.parquet", &bytes);
    let file = std::fs::File::open(&written.path).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    let groups = metadata.row_groups().iter().map(|group| {
        let columns = group
            .columns()
            .iter()
            .map(|column| column.clone().into_builder().set_compression_codec(codec).build().unwrap());
        group.clone().into_builder().set_column_metadata(columns.collect()).build().unwrap()
    });
    let groups = groups.collect();
    let metadata = metadata.into_builder().set_row_groups(groups).build();
    // The last footer counts; the first stays behind as bytes that nothing points to.
    ParquetMetaDataWriter::new(&mut bytes, &metadata).finish().unwrap();
    bytes
}

#[test]
fn every_compression_that_is_read_gives_the_same_tasks() {
    let plain = tasks("a.parquet", packed(Compression::UNCOMPRESSED));
    assert_eq!((plain.len(), golds(&plain)), (2, vec![0, 1]));
    assert_eq!(plain[1].question, "Is it dry?");
    for compression in [
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let bytes = packed(compression);
        assert!(bytes != packed(Compression::UNCOMPRESSED), "{compression} changed nothing");
        assert_eq!(tasks("a.parquet", bytes), plain, "{compression}");
    }
}

#[test]
fn other_compressions_are_refused_by_name() {
    let said = |codec| {
        let written = write("a.parquet", relabelled(codec));
        let error = load(&written.path, None).unwrap_err().to_string();
        error.replace(&format!("{}/", written.folder.path().display()), "")
    };
    assert_eq!(tasks("a.parquet", relabelled(CompressionCodec::UNCOMPRESSED)).len(), 2);
    insta::assert_snapshot!(
        [CompressionCodec::BROTLI, CompressionCodec::LZ4, CompressionCodec::LZ4_RAW].map(said).join("\n"),
        @"
    a.parquet: found Parquet compressed with BROTLI, expected Parquet, uncompressed, Snappy, gzip or Zstandard; write it again with Snappy, the usual default
    a.parquet: found Parquet compressed with LZ4, expected Parquet, uncompressed, Snappy, gzip or Zstandard; write it again with Snappy, the usual default
    a.parquet: found Parquet compressed with LZ4_RAW, expected Parquet, uncompressed, Snappy, gzip or Zstandard; write it again with Snappy, the usual default
    "
    );
}

//! Writes the JavaScript side of the module that cargo built: `bind MODULE.wasm FOLDER`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(module), Some(folder)) = (arguments.next(), arguments.next()) else {
        eprintln!("bind: expected the path of a module and of a folder");
        return ExitCode::from(2);
    };
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    bindgen.input_path(&module).typescript(true);
    match bindgen.web(true).and_then(|bindgen| bindgen.generate(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bind: {}: {error:#}", module.display());
            ExitCode::FAILURE
        }
    }
}

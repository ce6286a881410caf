//! Makes what `make web` and `make pack` have built part of the program: the console, the demo's shop, the
//! browser SDKs and the actions pack; and the manifests of destinations.
//!
//! What is not there is left out, and the program says how to build it. Cargo never runs npm.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let (web, out) = (folder("CARGO_MANIFEST_DIR")?.join("../../web"), folder("OUT_DIR")?);
    let (shop, official) = (web.join("shop/dist"), web.join("sdk-bundle/dist"));
    let selfsame = folder("CARGO_MANIFEST_DIR")?.join("../../sdk/js/dist/browser");
    let console = web.join("console/dist");
    let mut cargo = io::stdout().lock();
    writeln!(cargo, "cargo::rerun-if-changed=build.rs")?;
    for built in [&shop, &official, &selfsame, &console] {
        // A path that is not there would make cargo run this every time: a folder above it is watched.
        let watched = built.ancestors().find(|path| path.exists());
        writeln!(cargo, "cargo::rerun-if-changed={}", watched.unwrap_or(built).display())?;
    }
    let mut text = String::new();
    let scripts = ["js", "css", "html"];
    for (name, folder) in [("SHOP", &shop), ("OFFICIAL", &official), ("SELFSAME", &selfsame)] {
        let mut files = Vec::new();
        collect(folder, folder, &scripts, &mut files)?;
        files.sort();
        writeln!(text, "pub(super) static {name}: &[(&str, &[u8])] = &[").expect("text grows");
        for (path, file) in files {
            writeln!(text, "    ({path:?}, include_bytes!({file:?})),").expect("text grows");
        }
        text.push_str("];\n");
    }
    text.push_str(&console_files(&console)?);
    fs::write(out.join("embedded.rs"), text)?;
    let destinations = folder("CARGO_MANIFEST_DIR")?.join("../../destinations");
    writeln!(cargo, "cargo::rerun-if-changed={}", destinations.display())?;
    fs::write(out.join("manifests.rs"), manifests(&destinations)?)?;
    let built = folder("CARGO_MANIFEST_DIR")?.join("../../actions-pack/dist");
    let watched = built.parent().filter(|_| !built.exists()).unwrap_or(&built);
    writeln!(cargo, "cargo::rerun-if-changed={}", watched.display())?;
    let file = built.join("pack.bin").canonicalize();
    let pack =
        file.map_or_else(|_| "None".to_owned(), |file| format!("Some(include_bytes!({file:?}))"));
    fs::write(out.join("pack.rs"), format!("pub(super) static PACK: Option<&[u8]> = {pack};\n"))
}

/// A table of the console's files, each with the one that its build compressed.
fn console_files(folder: &Path) -> io::Result<String> {
    let kinds = ["css", "html", "js", "json", "png", "svg", "txt", "webmanifest", "woff2"];
    let mut files = Vec::new();
    collect(folder, folder, &kinds, &mut files)?;
    files.sort();
    let mut text = String::from("pub(super) static CONSOLE: &[ConsoleFile] = &[\n");
    for (path, file) in files {
        let mut brotli = file.clone().into_os_string();
        brotli.push(".br");
        let brotli = match Path::new(&brotli).is_file() {
            true => format!("Some(include_bytes!({brotli:?}))"),
            false => "None".to_owned(),
        };
        writeln!(
            text,
            "    ConsoleFile {{ path: {path:?}, bytes: include_bytes!({file:?}), brotli: {brotli} }},"
        )
        .expect("text grows");
    }
    text.push_str("];\n");
    Ok(text)
}

/// A table of the manifests, by the names of their folders.
fn manifests(folder: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let (name, file) = (path.file_name().map(ToOwned::to_owned), path.join("manifest.yaml"));
        if let (Some(name), true) = (name, file.is_file()) {
            files.push((name.to_string_lossy().into_owned(), file.canonicalize()?));
        }
    }
    files.sort();
    let mut text = String::from("pub(super) static MANIFESTS: &[(&str, &str)] = &[\n");
    for (name, file) in files {
        writeln!(text, "    ({name:?}, include_str!({file:?})),").expect("text grows");
    }
    text.push_str("];\n");
    Ok(text)
}

/// The files of these kinds under a folder, by their paths in it.
fn collect(
    root: &Path,
    folder: &Path,
    kinds: &[&str],
    files: &mut Vec<(String, PathBuf)>,
) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, kinds, files)?;
        } else if path.extension().is_some_and(|kind| kinds.iter().any(|one| kind == *one)) {
            let name = path.strip_prefix(root).map_err(io::Error::other)?;
            files.push((name.to_string_lossy().into_owned(), path.canonicalize()?));
        }
    }
    Ok(())
}

//! Compiles `proto/` with protox, so that no `protoc` is needed on the machine that builds.

use std::{env, error::Error, fs, path::Path};

use prost_build::Config;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=frontend/dist");
    println!("cargo:rerun-if-changed=demo/recording");
    let descriptors = protox::compile(["event.proto"], ["proto"])?;
    let out_dir = env::var("OUT_DIR")?;
    // The tests hold these names and numbers against the installed tensorboard package.
    fs::write(Path::new(&out_dir).join("descriptors.bin"), prost::Message::encode_to_vec(&descriptors))?;
    // `Bytes` makes decoding a tensor's content a reference count instead of a copy.
    Config::new().bytes(["."]).compile_fds(descriptors)?;
    Ok(())
}

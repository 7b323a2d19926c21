//! The pages are part of the binary: it is built again when they were.

fn main() {
    println!("cargo:rerun-if-changed=../web/dist/.built");
    println!("cargo:rerun-if-changed=../web/dist");
}

//! The version, in a custom section that can be read before the module is
//! instantiated: a script of another version could not even instantiate it.

const VERSION: &str = env!("CARGO_PKG_VERSION");

// SAFETY: the section is our own, and no code reads it.
#[allow(unsafe_code)]
#[unsafe(link_section = "bookmore-sdk")]
#[used]
static SECTION: [u8; VERSION.len()] = match VERSION.as_bytes().first_chunk() {
    Some(bytes) => *bytes,
    None => [0; VERSION.len()],
};

//! Whose module it is, in a custom section that can be read before the module
//! is run: a script of another version could not even start it.

const VERSION: &str = env!("CARGO_PKG_VERSION");

// SAFETY: a custom section of its own; nothing is read from it in here.
#[allow(unsafe_code)]
#[unsafe(link_section = "bookmore-sdk")]
#[used]
static SECTION: [u8; VERSION.len()] = match VERSION.as_bytes().first_chunk() {
    Some(bytes) => *bytes,
    None => [0; VERSION.len()],
};

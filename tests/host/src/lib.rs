//! A shared library with tinypl in it, as a plugin would be; and how a test loads it.
use std::ffi::{CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{env, slice};
use tinypl::{Pipeline, process, source};

/// What the library does: a process stage. The text that comes of it, a result or an error, is put into `buffer`, and its
/// length is returned.
///
/// # Safety
/// `buffer` has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tinypl_tests_host(buffer: *mut u8, len: usize) -> usize {
    // SAFETY: says the caller
    let buffer = unsafe { slice::from_raw_parts_mut(buffer, len) };
    let sum = Pipeline::new(process::map(source(0..10_u64), |x| x + 1).workers(1)).try_collect::<Vec<_>>();
    let text = sum.map_or_else(|error| error.to_string(), |items| format!("{items:?}"));
    let n = text.len().min(len);
    buffer[..n].copy_from_slice(&text.as_bytes()[..n]);
    n
}

/// Where the library was built: beside the tests.
pub fn library() -> PathBuf {
    let test = env::current_exe().expect("a test has a file");
    test.with_file_name(concat!("lib", env!("CARGO_CRATE_NAME"), ".so"))
}

/// Loads the library at `path` into this process, and runs what it does.
///
/// # Errors
/// When it can't be loaded.
pub fn run(path: &Path) -> Result<String, String> {
    type Run = unsafe extern "C" fn(*mut u8, usize) -> usize;
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: a C string; what the library does when it is loaded is ours
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    if library.is_null() {
        return Err("it could not be loaded".to_owned());
    }
    // SAFETY: a library that was loaded, and a C string
    let symbol: *mut c_void = unsafe { libc::dlsym(library, c"tinypl_tests_host".as_ptr()) };
    if symbol.is_null() {
        return Err("it has no such function".to_owned());
    }
    // SAFETY: the library is made of this very file
    let run = unsafe { std::mem::transmute::<*mut c_void, Run>(symbol) };
    let mut text = vec![0; 4096];
    // SAFETY: there is as much room
    let n = unsafe { run(text.as_mut_ptr(), text.len()) };
    text.truncate(n);
    String::from_utf8(text).map_err(|error| error.to_string())
}

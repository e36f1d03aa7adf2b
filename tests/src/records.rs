//! What the library logs, kept for the tests of one executable.
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::sync::{Mutex, Once};

/// All that was logged since [`record`].
pub static RECORDS: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

struct Recorder;

impl Log for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        RECORDS.lock().unwrap().push((record.level(), record.args().to_string()));
    }

    fn flush(&self) {}
}

/// Keeps what is logged from here on.
pub fn record() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Recorder).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
}

/// The records that contain all of this.
pub fn logged(parts: &[&str]) -> Vec<(Level, String)> {
    let records = RECORDS.lock().unwrap();
    records.iter().filter(|(_, text)| parts.iter().all(|part| text.contains(part))).cloned().collect()
}

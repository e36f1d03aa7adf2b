//! What a fuzzer calls.
use super::wire::{Frames, Kind, push_short};

/// Takes bytes apart as if they came from a worker: the first of them says how they are cut. What is a frame comes out as it
/// would from itself; what is none is refused, and takes no memory.
///
/// # Panics
/// If that isn't so.
pub fn frames(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else { return };
    let mut frames = Frames::default();
    let mut again = Vec::new();
    for mut piece in bytes.chunks(usize::from(*cut) + 1) {
        while !piece.is_empty() {
            frames.read(&mut piece).expect("a slice can be read");
        }
        loop {
            match frames.next() {
                Ok(Some(frame)) => push_short(&mut again, frame.kind, frame.number, frames.body(&frame)),
                Ok(None) => break,
                Err(_) => return assert!(bytes.starts_with(&again), "what came before it was as it was sent"),
            }
        }
    }
    assert!(bytes.starts_with(&again), "frames are as they were sent");
    let mut good = Vec::new();
    push_short(&mut good, Kind::Done, bytes.len() as u64, bytes);
    let mut frames = Frames::of(good);
    let frame = frames.next().expect("it is good").expect("it is whole");
    assert_eq!(frames.body(&frame), bytes);
}

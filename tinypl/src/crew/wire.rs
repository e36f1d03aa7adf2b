//! The frames on the socket between a parent and its worker: `u32` length of what follows, `u8` kind, `u64` number, body.
//! Numbers are little-endian. What comes from the other end is believed only as far as it was checked.
use super::plain;
use super::why::why;
use serde::Serialize;
use std::io::{self, Read};
use std::ops::Range;

/// The longest frame: what is larger belongs into shared memory. (Tests need not make as much to see what happens.)
pub(crate) const LIMIT: usize = if cfg!(test) { 1 << 22 } else { 1 << 30 };
/// What stands before a body.
pub(crate) const HEAD: usize = 4 + 1 + 8;
/// How much is read at once.
const READ: usize = 64 << 10;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To a worker: what it is to run.
    Hello,
    /// To a worker: an item, by its number on this socket.
    Item,
    /// To a worker that was told to drop what it had not started: items come again, from this number on.
    Resume,
    /// To a worker: there is nothing more to do.
    Stop,
    /// From a worker: it is set up.
    Ready,
    /// From a worker: it can't, and why.
    Refused,
    /// From a worker: an item's result.
    Done,
    /// From a worker: `f` panicked at an item; its message.
    Panicked,
    /// From a worker: an item could not be decoded, or its result not be encoded, or that panicked; the sentence that says so.
    Failed,
    /// From a worker: it is going to wait, maybe for what becomes of results that its page shows.
    Waits,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Hello,
        Self::Item,
        Self::Resume,
        Self::Stop,
        Self::Ready,
        Self::Refused,
        Self::Done,
        Self::Panicked,
        Self::Failed,
        Self::Waits,
    ];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// What is no frame of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Garbage {
    #[error("a frame of {0} bytes is over the limit of {LIMIT}")]
    TooLong(usize),
    #[error("a frame of {0} bytes is too short to be one")]
    TooShort(usize),
    #[error("there is no frame of kind {0}")]
    Kind(u8),
    #[error("a frame of kind {0:?} is out of place")]
    OutOfPlace(Kind),
}

/// Appends a frame whose body is what `body` appends.
///
/// # Errors
/// As `body`; when the frame is over the limit, how long it is. Then nothing was appended.
pub(crate) fn push<E>(
    out: &mut Vec<u8>,
    kind: Kind,
    number: u64,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), PushError<E>> {
    let start = out.len();
    push_head(out, kind, number, 0);
    let written = body(out);
    let length = out.len() - start - 4;
    if written.is_ok() && length <= LIMIT {
        // it fits: the limit does
        out[start..start + 4].copy_from_slice(&(length as u32).to_le_bytes());
        return Ok(());
    }
    out.truncate(start);
    written.map_err(PushError::Body)?;
    Err(PushError::TooLong(length))
}

/// The beginning of a frame whose body, of `length` bytes that are known not to be too many, comes after it.
pub(crate) fn push_head(out: &mut Vec<u8>, kind: Kind, number: u64, length: usize) {
    // it fits: the limit does
    out.extend(((HEAD - 4 + length) as u32).to_le_bytes());
    out.push(kind as u8);
    out.extend(number.to_le_bytes());
}

/// Why a frame could not be made.
#[derive(Debug)]
pub(crate) enum PushError<E> {
    Body(E),
    TooLong(usize),
}

/// What is said of a value that does not fit into a frame.
pub(crate) fn too_long(what: &str, of: &str, length: usize) -> String {
    format!(
        "the {what}, of type {of}, is {length} bytes long, over the limit of {LIMIT} for what travels between processes: \
         put it into a `process::SharedMemoryRingBuffer`"
    )
}

/// A frame whose body is known not to be too long.
pub(crate) fn push_short(out: &mut Vec<u8>, kind: Kind, number: u64, body: &[u8]) {
    let body = &body[..body.len().min(LIMIT - HEAD)];
    let pushed = push(out, kind, number, |out| {
        out.extend(body);
        Ok::<(), ()>(())
    });
    debug_assert!(pushed.is_ok(), "it was cut to fit");
}

/// Appends a value's bytes.
///
/// # Errors
/// What its `Serialize` says when it fails; what was appended until then stays.
pub(crate) fn encode(value: &impl Serialize, out: &mut Vec<u8>) -> Result<(), String> {
    struct Tail<'a>(&'a mut Vec<u8>);
    impl Extend<u8> for Tail<'_> {
        #[inline]
        fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
            self.0.extend(bytes);
        }
    }
    let written = match plain::parts(value) {
        Some((n, elements)) => postcard::to_extend(&n, Tail(out)).map(|Tail(out)| out.extend(elements)),
        None => postcard::to_extend(value, Tail(out)).map(drop),
    };
    written.map_err(|error| why(value, &error))
}

/// A frame as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) number: u64,
    /// Where its body lies, until the next [`Frames::read`].
    pub(crate) body: Range<usize>,
}

/// Takes frames apart as bytes come in.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    buffer: Vec<u8>,
    /// What has come and was not taken yet.
    unread: Range<usize>,
}

impl Frames {
    /// The frames in `bytes`.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self { unread: 0..bytes.len(), buffer: bytes }
    }

    /// Reads once, at least as much as there is and as a frame that has begun asks for. How much it was: 0 at the end.
    ///
    /// # Errors
    /// As `from`.
    pub(crate) fn read(&mut self, mut from: impl Read) -> io::Result<usize> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        // a length is a promise: room is made as its bytes come, at most doubling
        let wanted = self.missing().clamp(READ, self.unread.end.max(READ));
        let room = self.unread.end + wanted;
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        loop {
            match from.read(&mut self.buffer[self.unread.end..]) {
                Ok(n) => {
                    self.unread.end += n;
                    return Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether [`next`](Self::next) has something to say.
    pub(crate) fn has_one(&self) -> bool {
        !matches!(self.peek(), Ok(None))
    }

    /// How many bytes the frame that has begun still lacks.
    fn missing(&self) -> usize {
        let unread = &self.buffer[self.unread.clone()];
        let length = unread.first_chunk().map_or(HEAD, |length| 4 + u32::from_le_bytes(*length) as usize);
        length.saturating_sub(unread.len())
    }

    /// The next frame that has come whole.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Garbage> {
        let next = self.peek()?;
        if let Some(frame) = &next {
            self.unread.start = frame.body.end;
        }
        Ok(next)
    }

    fn peek(&self) -> Result<Option<Frame>, Garbage> {
        let unread = &self.buffer[self.unread.clone()];
        let Some((length, rest)) = unread.split_first_chunk() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > LIMIT {
            return Err(Garbage::TooLong(length));
        }
        if length < HEAD - 4 {
            return Err(Garbage::TooShort(length));
        }
        let Some((kind, rest)) = rest.split_first() else { return Ok(None) };
        let kind = Kind::of(*kind).ok_or(Garbage::Kind(*kind))?;
        let Some((number, rest)) = rest.split_first_chunk() else { return Ok(None) };
        let body = length - (HEAD - 4);
        if rest.len() < body {
            return Ok(None);
        }
        let start = self.unread.start + HEAD;
        Ok(Some(Frame { kind, number: u64::from_le_bytes(*number), body: start..start + body }))
    }

    /// The body of a frame that [`next`](Self::next) gave since the last [`read`](Self::read).
    pub(crate) fn body(&self, frame: &Frame) -> &[u8] {
        &self.buffer[frame.body.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut frames: Frames) -> Result<Vec<(Kind, u64, Vec<u8>)>, Garbage> {
        let mut found = Vec::new();
        while let Some(frame) = frames.next()? {
            found.push((frame.kind, frame.number, frames.body(&frame).to_vec()));
        }
        Ok(found)
    }

    #[test]
    fn frames_come_back_however_the_bytes_are_cut() {
        let mut bytes = Vec::new();
        let sent: Vec<(Kind, u64, Vec<u8>)> = (0..20_u64)
            .map(|i| (Kind::ALL[i as usize % Kind::ALL.len()], i * i, vec![i as u8; (i * i * i) as usize]))
            .collect();
        for (kind, number, body) in &sent {
            push_short(&mut bytes, *kind, *number, body);
        }
        for step in [1, 2, 3, 7, 13, 64, 1000, bytes.len()] {
            let (mut frames, mut found) = (Frames::default(), Vec::new());
            for mut piece in bytes.chunks(step) {
                while !piece.is_empty() {
                    frames.read(&mut piece).expect("a slice can be read");
                }
                while let Some(frame) = frames.next().expect("a frame") {
                    found.push((frame.kind, frame.number, frames.body(&frame).to_vec()));
                }
            }
            assert_eq!(found, sent, "in pieces of {step} bytes");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_before_it_is_waited_for() {
        let framed = |length: u32, rest: &[u8]| Frames::of([&length.to_le_bytes(), rest].concat());
        assert_eq!(all(framed(u32::MAX, &[])), Err(Garbage::TooLong(u32::MAX as usize)));
        assert_eq!(all(framed(8, &[])), Err(Garbage::TooShort(8)));
        assert_eq!(all(framed(9, &[10])), Err(Garbage::Kind(10)));
        assert_eq!(all(framed(LIMIT as u32, &[1])), Ok(vec![]), "the rest may come");
    }

    #[test]
    fn a_length_alone_takes_no_memory() {
        let mut frames = Frames::default();
        let promise = (LIMIT as u32).to_le_bytes();
        frames.read(&promise[..]).expect("a slice can be read");
        frames.read(&[1][..]).expect("a slice can be read");
        assert!(frames.buffer.len() <= 4 * READ);
    }

    #[test]
    fn a_frame_that_fails_leaves_nothing_behind() {
        let mut out = vec![7];
        let result = push(&mut out, Kind::Item, 1, |out| {
            out.push(1);
            Err("no")
        });
        assert!(matches!(result, Err(PushError::Body("no"))));
        assert_eq!(out, [7]);
    }
}

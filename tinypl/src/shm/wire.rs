//! What a worker and the owner of a buffer tell one another, on a socket pair of their own: `u16` length, then postcard.
use super::ShmError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// No honest frame is longer.
const LIMIT: usize = 1024;
const HEAD: usize = size_of::<u16>();

/// What was written into an extent: how many elements (or bytes), and a hash of their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) len: u64,
    pub(crate) kind: u64,
}

/// What a reference says. A key is given out once in a buffer's life, so an old name never fits a new item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Name {
    pub(crate) ring: u64,
    pub(crate) key: u64,
    pub(crate) stamp: Stamp,
}

/// A part of the memory, and the key by which the books know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) key: u64,
    pub(crate) at: usize,
    pub(crate) bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) stored: usize,
    pub(crate) free: usize,
}

/// Where there is no room at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Patience {
    No,
    /// `kept`: what of its own this client has not given away, where no other thread of it could give it up meanwhile.
    Waits {
        kept: Option<usize>,
    },
}

/// From a worker. Those with a tag are answered, under that tag.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    Reserve {
        tag: u64,
        bytes: usize,
        patience: Patience,
    },
    /// The request under that tag need not be waited for any longer; it is answered all the same.
    Cancel(u64),
    /// Nothing is to be waited for any longer.
    StopWaiting,
    Commit(u64, Stamp),
    /// Gives up what it reserved, or stored and did not send.
    Release(u64),
    Read {
        tag: u64,
        name: Name,
    },
    /// Gives up what it read.
    Unread(u64),
    Figures {
        tag: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) tag: u64,
    pub(crate) answer: Answer,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Granted(Grant),
    Figures(Figures),
    Refused(ShmError),
}

/// Bytes that are no frame of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Garbage {
    #[error("a frame of {0} bytes")]
    TooLong(usize),
    #[error("a frame that says nothing: {0}")]
    Nonsense(#[from] postcard::Error),
    #[error("{0}")]
    OutOfPlace(&'static str),
}

pub(crate) fn frame(message: &impl Serialize) -> Result<Vec<u8>, Garbage> {
    let mut frame = postcard::to_extend(message, vec![0; HEAD])?;
    let len = frame.len() - HEAD;
    let head = u16::try_from(len).map_err(|_| Garbage::TooLong(len))?;
    frame[..HEAD].copy_from_slice(&head.to_le_bytes());
    Ok(frame)
}

/// Takes the first frame out of what was received, if it is there whole.
pub(crate) fn unframe<T: DeserializeOwned>(received: &mut Vec<u8>) -> Result<Option<T>, Garbage> {
    let Some(&head) = received.first_chunk() else { return Ok(None) };
    let len = usize::from(u16::from_le_bytes(head));
    if len > LIMIT {
        return Err(Garbage::TooLong(len));
    }
    let Some(body) = received.get(HEAD..HEAD + len) else { return Ok(None) };
    let message = postcard::from_bytes(body)?;
    received.drain(..HEAD + len);
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::random::Random;

    #[test]
    fn frames_that_come_in_pieces() {
        let mut sent = frame(&Request::Cancel(300)).unwrap();
        sent.extend(frame(&Request::StopWaiting).unwrap());
        let (mut received, mut messages) = (Vec::new(), Vec::new());
        for byte in sent {
            received.push(byte);
            while let Some(message) = unframe::<Request>(&mut received).unwrap() {
                messages.push(message);
            }
        }
        assert!(matches!(messages[..], [Request::Cancel(300), Request::StopWaiting]));
        assert!(received.is_empty());
    }

    #[test]
    fn garbage_is_refused_or_incomplete() {
        let mut random = Random::new(1);
        for _ in 0..100_000 {
            let mut bytes: Vec<u8> = (0..random.size(80)).map(|_| random.below(256) as u8).collect();
            while let Ok(Some(_)) = unframe::<Request>(&mut bytes) {}
        }
    }
}

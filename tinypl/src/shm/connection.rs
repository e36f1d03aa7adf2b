//! The broker's end of a worker's socket.
use super::books::ClientId;
use super::wire::{Garbage, Request, unframe};
use rustix::event::PollFlags;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// A connection, while the thread waits for something to come of it.
pub(crate) struct Polled {
    pub(crate) client: ClientId,
    pub(crate) socket: Arc<UnixStream>,
    pub(crate) awaited: PollFlags,
}

/// A socket to a worker, and what is in between. It never waits.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Shared with the thread while it polls.
    socket: Arc<UnixStream>,
    received: Vec<u8>,
    /// What the socket did not take yet.
    unsent: Vec<u8>,
    /// Whether it is to stop, and waits for nothing any longer.
    pub(crate) hurried: bool,
}

impl Connection {
    pub(crate) fn new(socket: UnixStream) -> Self {
        Self { socket: Arc::new(socket), received: Vec::new(), unsent: Vec::new(), hurried: false }
    }

    pub(crate) fn polled(&self, client: ClientId) -> Polled {
        let awaited = if self.unsent.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        Polled { client, socket: self.socket.clone(), awaited }
    }

    /// Takes what has come; whether that was the last.
    pub(crate) fn receive(&mut self) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match (&*self.socket).read(&mut buffer) {
                Ok(0) => return true,
                Ok(n) => self.received.extend(&buffer[..n]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }

    /// The next thing that it asks for, of what has come.
    pub(crate) fn next(&mut self) -> Result<Option<Request>, Garbage> {
        unframe(&mut self.received)
    }

    pub(crate) fn send(&mut self, frame: &[u8]) {
        self.unsent.extend(frame);
        self.flush();
    }

    pub(crate) fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Sends what the socket takes without waiting.
    pub(crate) fn flush(&mut self) {
        while !self.unsent.is_empty() {
            match (&*self.socket).write(&self.unsent) {
                Ok(n) => drop(self.unsent.drain(..n)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.unsent.clear(), // it is dead, as the next `receive` will tell
            }
        }
    }
}

//! Who holds what. Pure book-keeping, in the memory of the process that made the buffer: it touches neither the shared
//! memory nor a socket, so no death of a worker can leave it half changed.
use super::error::{Room, ShmError};
use super::extents::Extents;
use super::wire::{Figures, Grant, Name, Stamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// A worker, by its number.
pub(crate) type ClientId = u64;

/// Whose an extent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The process that made the buffer. It counts its own holds.
    Here,
    Client(ClientId),
}

/// Who waits for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A thread of this process, by the number of its wait.
    Here(u64),
    Client {
        client: ClientId,
        /// Under which it wants the answer.
        tag: u64,
        /// See [`Patience`](super::wire::Patience).
        kept: Option<usize>,
    },
}

#[derive(Debug)]
struct Entry {
    at: usize,
    bytes: usize,
    /// `None`: reserved, still being filled by its only holder.
    written: Option<Stamp>,
    /// Reservations, references and guards of this process.
    here: usize,
    /// The worker that made it, until the reference arrives here.
    author: Option<ClientId>,
    /// Workers that read it, each as often as it does.
    readers: Vec<ClientId>,
}

impl Entry {
    /// Whether no other workers hold it.
    fn is_with(&self, workers: &BTreeSet<ClientId>) -> bool {
        self.author.iter().chain(&self.readers).all(|holder| workers.contains(holder))
    }

    fn is_held(&self) -> bool {
        self.here > 0 || self.author.is_some() || !self.readers.is_empty()
    }
}

#[derive(Debug)]
struct Wait {
    asker: Asker,
    bytes: usize,
    since: Instant,
    warned: bool,
}

impl Wait {
    fn is_a_workers(&self) -> bool {
        matches!(self.asker, Asker::Client { .. })
    }
}

#[derive(Debug)]
pub(crate) struct Books {
    extents: Extents,
    entries: BTreeMap<u64, Entry>,
    next_key: u64,
    /// In the order in which they asked.
    waiting: VecDeque<Wait>,
}

impl Books {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { extents: Extents::new(capacity), entries: BTreeMap::new(), next_key: 0, waiting: VecDeque::new() }
    }

    pub(crate) fn room(&self) -> Room {
        let Self { extents, entries, .. } = self;
        Room { free: extents.free(), largest_gap: extents.largest_gap(), items: entries.len() }
    }

    pub(crate) fn figures(&self) -> Figures {
        let stored = self.entries.values().filter(|entry| entry.written.is_some()).count();
        Figures { stored, free: self.extents.free() }
    }

    /// An extent for `holder` to fill, if there is room; it need not wait its turn.
    ///
    /// # Errors
    /// If there could never be.
    pub(crate) fn reserve(&mut self, holder: Holder, bytes: usize) -> Result<Option<Grant>, ShmError> {
        let capacity = self.extents.capacity();
        if bytes > capacity {
            return Err(ShmError::TooLarge { needed: bytes, capacity });
        }
        let Some(at) = self.extents.allocate(bytes) else { return Ok(None) };
        let (here, author) = match holder {
            Holder::Here => (1, None),
            Holder::Client(client) => (0, Some(client)),
        };
        let key = self.next_key;
        self.next_key += 1;
        self.entries.insert(key, Entry { at, bytes, written: None, here, author, readers: Vec::new() });
        Ok(Some(Grant { key, at, bytes }))
    }

    /// For whom there is no room: [`decide`](Self::decide) has the answer some day.
    pub(crate) fn wait(&mut self, asker: Asker, bytes: usize) {
        self.waiting.push_back(Wait { asker, bytes, since: Instant::now(), warned: false });
    }

    /// Who has waited for `long`, each once: what they need.
    pub(crate) fn overdue(&mut self, long: Duration) -> Vec<usize> {
        let overdue = self.waiting.iter_mut().filter(|wait| !wait.warned && wait.since.elapsed() >= long);
        let note = |wait: &mut Wait| {
            wait.warned = true;
            wait.bytes
        };
        overdue.map(note).collect()
    }

    /// In how much time somebody will have waited for `long`.
    pub(crate) fn until_overdue(&self, long: Duration) -> Option<Duration> {
        let first = self.waiting.iter().find(|wait| !wait.warned)?;
        Some(long.saturating_sub(first.since.elapsed()))
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// After any change, and again until it is `None`: the answer to one who waits. Of those for whom there is room the first
    /// who asked is served. (To serve none before the first would hold up the very ones whose results make room for it.)
    pub(crate) fn decide(&mut self) -> Option<(Asker, Result<Grant, ShmError>)> {
        for i in 0..self.waiting.len() {
            let Wait { asker, bytes, .. } = self.waiting[i];
            let holder = match asker {
                Asker::Here(_) => Holder::Here,
                Asker::Client { client, .. } => Holder::Client(client),
            };
            if let Some(answer) = self.reserve(holder, bytes).transpose() {
                self.waiting.remove(i);
                return Some((asker, answer));
            }
        }
        let (asker, error) = self.refuse(&BTreeMap::new())?;
        Some((asker, Err(error)))
    }

    /// The last worker that waits, if nobody can ever make room. `kept` says how many holds of this process, by their keys, are
    /// those of items that can't get on.
    pub(crate) fn refuse(&mut self, kept: &BTreeMap<u64, usize>) -> Option<(Asker, ShmError)> {
        let last = self.waiting.iter().rposition(Wait::is_a_workers)?;
        let stuck = self.stuck();
        if !self.large().all(|(key, entry)| entry.here == kept.get(key).copied().unwrap_or(0) && entry.is_with(&stuck))
        {
            return None;
        }
        let Wait { asker, bytes, .. } = self.waiting.remove(last)?;
        Some((asker, ShmError::Deadlock { needed: bytes, room: self.room() }))
    }

    /// The workers that can't make room, if one has waited for so `long`, and nobody but they and this process holds anything.
    pub(crate) fn stuck_by_items(&self, long: Duration) -> Option<BTreeSet<ClientId>> {
        let mut waits = self.waiting.iter().filter(|wait| wait.is_a_workers());
        let stuck = waits.any(|wait| wait.since.elapsed() >= long).then(|| self.stuck())?;
        self.large().all(|(_, entry)| entry.is_with(&stuck)).then_some(stuck)
    }

    pub(crate) fn is_a_worker_waiting(&self) -> bool {
        self.waiting.iter().any(Wait::is_a_workers)
    }

    /// What takes room.
    fn large(&self) -> impl Iterator<Item = (&u64, &Entry)> {
        self.entries.iter().filter(|(_, entry)| entry.bytes > 0)
    }

    /// The workers that wait for room with all that they made in their hands, and run nothing else.
    fn stuck(&self) -> BTreeSet<ClientId> {
        let mut made = BTreeMap::<ClientId, usize>::new();
        for author in self.entries.values().filter_map(|entry| entry.author) {
            *made.entry(author).or_default() += 1;
        }
        let stuck = |wait: &Wait| match wait.asker {
            Asker::Client { client, kept: Some(kept), .. } => {
                (kept == made.get(&client).copied().unwrap_or(0)).then_some(client)
            }
            _ => None,
        };
        self.waiting.iter().filter_map(stuck).collect()
    }

    /// Takes back a request, or all of a worker's; those who asked.
    pub(crate) fn withdraw(&mut self, which: impl Fn(&Asker) -> bool) -> Vec<Asker> {
        let withdrawn = self.waiting.iter().map(|wait| wait.asker).filter(&which).collect();
        self.waiting.retain(|wait| !which(&wait.asker));
        withdrawn
    }

    /// What was reserved is filled. False if it wasn't the holder's to fill.
    pub(crate) fn commit(&mut self, holder: Holder, key: u64, stamp: Stamp) -> bool {
        let Some(entry) = self.entries.get_mut(&key) else { return false };
        let theirs = match holder {
            Holder::Here => entry.here > 0,
            Holder::Client(client) => entry.author == Some(client),
        };
        if !theirs || entry.written.is_some() {
            return false;
        }
        entry.written = Some(stamp);
        true
    }

    /// One hold of this process more. What a worker made belongs here from then on.
    ///
    /// # Errors
    /// If the name fits nothing.
    pub(crate) fn hold(&mut self, name: Name) -> Result<Grant, ShmError> {
        let entry = self.find(name)?;
        entry.author = None;
        entry.here += 1;
        Ok(Grant { key: name.key, at: entry.at, bytes: entry.bytes })
    }

    /// A worker reads.
    ///
    /// # Errors
    /// If the name fits nothing.
    pub(crate) fn read(&mut self, client: ClientId, name: Name) -> Result<Grant, ShmError> {
        let entry = self.find(name)?;
        entry.readers.push(client);
        Ok(Grant { key: name.key, at: entry.at, bytes: entry.bytes })
    }

    fn find(&mut self, name: Name) -> Result<&mut Entry, ShmError> {
        let Some(entry) = self.entries.get_mut(&name.key) else {
            let ever = name.key < self.next_key;
            return Err(if ever {
                ShmError::Stale
            } else {
                ShmError::corrupt("nothing of that number was ever stored")
            });
        };
        match entry.written {
            None => Err(ShmError::corrupt("what it names is still being written")),
            Some(stamp) if stamp != name.stamp => Err(ShmError::corrupt("what it names has another type or length")),
            Some(_) => Ok(entry),
        }
    }

    /// One hold less of what this process holds, or of what a worker made. A worker whose item has arrived here has none.
    pub(crate) fn release(&mut self, holder: Holder, key: u64) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        match holder {
            Holder::Here => entry.here = entry.here.saturating_sub(1),
            Holder::Client(client) => _ = entry.author.take_if(|author| *author == client),
        }
        self.free_if_unheld(key);
    }

    /// A worker has read. False if it hadn't.
    pub(crate) fn unread(&mut self, client: ClientId, key: u64) -> bool {
        let Some(entry) = self.entries.get_mut(&key) else { return false };
        let Some(i) = entry.readers.iter().position(|&reader| reader == client) else { return false };
        entry.readers.swap_remove(i);
        self.free_if_unheld(key);
        true
    }

    /// A worker is dead: it neither fills nor reads any longer. What it stored may be on its way here.
    pub(crate) fn bury(&mut self, client: ClientId) {
        self.let_go(client, |entry| entry.written.is_none());
    }

    /// A worker is dead, and all that it ever sent has arrived.
    pub(crate) fn forget(&mut self, client: ClientId) {
        self.let_go(client, |_| true);
    }

    fn let_go(&mut self, client: ClientId, made: impl Fn(&Entry) -> bool) {
        self.withdraw(|asker| matches!(asker, Asker::Client { client: asking, .. } if *asking == client));
        let mut touched = Vec::new();
        for (&key, entry) in &mut self.entries {
            entry.readers.retain(|&reader| reader != client);
            if entry.author == Some(client) && made(entry) {
                entry.author = None;
            }
            touched.extend((!entry.is_held()).then_some(key));
        }
        touched.into_iter().for_each(|key| self.free_if_unheld(key));
    }

    fn free_if_unheld(&mut self, key: u64) {
        if self.entries.get(&key).is_some_and(|entry| !entry.is_held())
            && let Some(entry) = self.entries.remove(&key)
        {
            self.extents.release(entry.at, entry.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::extents::PAGE;
    use Holder::{Client as By, Here};

    const STAMP: Stamp = Stamp { len: 1, kind: 2 };

    fn named(key: u64) -> Name {
        Name { ring: 0, key, stamp: STAMP }
    }

    fn stored(books: &mut Books, holder: Holder, pages: usize) -> u64 {
        let key = books.reserve(holder, pages * PAGE).unwrap().expect("there is room").key;
        assert!(books.commit(holder, key, STAMP));
        key
    }

    fn asks(books: &mut Books, client: ClientId, pages: usize, kept: Option<usize>) -> Asker {
        let asker = Asker::Client { client, tag: 0, kept };
        assert_eq!(books.reserve(By(client), pages * PAGE), Ok(None));
        books.wait(asker, pages * PAGE);
        asker
    }

    fn is_empty(books: &Books) -> bool {
        books.room() == Room { free: books.extents.capacity(), largest_gap: books.extents.capacity(), items: 0 }
    }

    #[test]
    fn an_item_goes_with_its_last_hold() {
        let mut books = Books::new(4 * PAGE);
        let key = stored(&mut books, Here, 2);
        books.hold(named(key)).unwrap();
        books.read(7, named(key)).unwrap();
        books.release(Here, key);
        books.release(Here, key);
        assert_eq!(books.room().items, 1);
        assert!(books.unread(7, key));
        assert!(is_empty(&books));
        assert_eq!(books.hold(named(key)), Err(ShmError::Stale));
    }

    #[test]
    fn what_a_worker_made_is_taken_over() {
        let mut books = Books::new(4 * PAGE);
        let key = stored(&mut books, By(1), 2);
        books.hold(named(key)).unwrap();
        books.release(By(1), key); // late, or not true: it has nothing any more
        books.forget(1);
        assert_eq!(books.room().items, 1);
        books.release(Here, key);
        assert!(is_empty(&books));
    }

    #[test]
    fn what_a_dead_worker_made_waits_until_all_has_arrived() {
        let mut books = Books::new(4 * PAGE);
        let sent = stored(&mut books, By(1), 1);
        let _unsent = stored(&mut books, By(1), 1);
        let _reserved = books.reserve(By(1), PAGE).unwrap().unwrap();
        let theirs = stored(&mut books, Here, 1);
        books.read(1, named(theirs)).unwrap();
        books.release(Here, theirs);
        books.bury(1);
        assert_eq!(books.room().items, 2, "the reservation and what it read are free");
        books.hold(named(sent)).unwrap();
        books.forget(1);
        assert_eq!(books.room().items, 1);
        books.release(Here, sent);
        assert!(is_empty(&books));
    }

    #[test]
    fn names_that_fit_nothing() {
        let mut books = Books::new(4 * PAGE);
        let reserved = books.reserve(Here, PAGE).unwrap().unwrap().key;
        assert!(matches!(books.hold(named(reserved)), Err(ShmError::Corrupt(_))));
        assert!(matches!(books.hold(named(reserved + 1)), Err(ShmError::Corrupt(_))));
        let key = stored(&mut books, Here, 1);
        let other = Name { stamp: Stamp { len: 2, ..STAMP }, ..named(key) };
        assert!(matches!(books.read(1, other), Err(ShmError::Corrupt(_))));
        assert!(!books.commit(Here, key, STAMP), "it is written already");
        assert!(!books.commit(By(1), reserved, STAMP), "it is another's");
        assert!(!books.unread(1, key));
    }

    #[test]
    fn who_fits_is_served_in_the_order_of_asking() {
        let mut books = Books::new(4 * PAGE);
        let [a, b] = [3, 1].map(|pages| stored(&mut books, Here, pages));
        let large = asks(&mut books, 1, 4, None);
        let [first, second] = [asks(&mut books, 2, 1, None), asks(&mut books, 3, 1, None)];
        assert_eq!(books.decide(), None);
        books.release(Here, b);
        let served = books.decide().expect("a page is free");
        assert_eq!((served.0, served.1.as_ref().unwrap().bytes), (first, PAGE));
        assert_eq!(books.decide(), None);
        books.release(Here, a);
        assert_eq!(books.decide().map(|(asker, _)| asker), Some(second));
        books.forget(2);
        books.forget(3);
        assert_eq!(books.decide().map(|(asker, _)| asker), Some(large));
        assert_eq!(books.decide(), None);
    }

    #[test]
    fn workers_that_wait_for_one_another() {
        let mut books = Books::new(4 * PAGE);
        let [_a, b] = [1, 2].map(|client| stored(&mut books, By(client), 2));
        let one = asks(&mut books, 1, 1, Some(1));
        assert_eq!(books.decide(), None, "the other may still free");
        let two = asks(&mut books, 2, 1, Some(1));
        let (asker, answer) = books.decide().expect("nobody can free");
        assert_eq!(asker, two);
        assert!(matches!(answer, Err(ShmError::Deadlock { .. })));
        assert_eq!(books.decide(), None, "it may free now");
        books.release(By(2), b);
        assert_eq!(books.decide().map(|(asker, _)| asker), Some(one));
    }

    #[test]
    fn no_deadlock_where_something_is_on_its_way_or_somebody_else_may_free() {
        for (kept, here) in [(Some(0), false), (None, false), (Some(1), true)] {
            let mut books = Books::new(4 * PAGE);
            stored(&mut books, By(1), 2);
            let other = stored(&mut books, By(2), 2);
            if here {
                books.hold(named(other)).unwrap();
            } else {
                asks(&mut books, 2, 1, Some(1));
            }
            asks(&mut books, 1, 1, kept);
            assert_eq!(books.decide(), None);
        }
    }
}

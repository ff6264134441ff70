//! Notes of use: written by the threads that answer, read by the one that folds them.
//!
//! A note has one of two fixed sizes and goes into a bounded buffer without waiting; when the buffer is full it is
//! counted and dropped. [`Fold`] makes of thousands of notes one row for each token and hour.

mod fold;
mod note;
mod short;

pub use fold::{Fold, UseRow};
pub use note::{Outcome, UseNote};
pub use short::Kept;

use short::Short;

use crossbeam_queue::ArrayQueue;
use hallpass_domain::limits::USE_NOTES_WAITING_MAX;
use std::{
    cell::Cell,
    fmt,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// The buffers. Threads are spread over them, so that those who answer at once rarely meet.
pub struct Uses {
    buffers: Box<[Buffer]>,
    dropped: AtomicU64,
}

/// The notes of some threads: the short ones, which nearly all are, and the others.
struct Buffer {
    short: ArrayQueue<Short>,
    full: ArrayQueue<UseNote>,
}

/// One of so many notes has room to be long.
const FULL_SHARE: usize = 4;

impl Buffer {
    fn new(notes: usize) -> Self {
        Self {
            short: ArrayQueue::new(notes.max(1)),
            full: ArrayQueue::new((notes / FULL_SHARE).max(1)),
        }
    }

    fn push(&self, note: &UseNote) -> bool {
        match Short::of(note) {
            Some(short) => self.short.push(short).is_ok(),
            None => self.full.push(*note).is_ok(),
        }
    }

    fn len(&self) -> usize {
        self.short.len() + self.full.len()
    }
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The number of this thread: 0 for the first that asked, and so on. For whatever gives each thread a part of its own.
pub fn thread_number() -> usize {
    THREAD.get().unwrap_or_else(|| {
        let number = THREADS.fetch_add(1, Ordering::Relaxed);
        THREAD.set(Some(number));
        number
    })
}

impl Uses {
    /// As many buffers as threads will answer, each with room for [`USE_NOTES_WAITING_MAX`] notes (about 5 MiB).
    pub fn new(threads: usize) -> Self {
        Self::with_room(threads, USE_NOTES_WAITING_MAX)
    }

    /// The same with room for `notes` in each buffer.
    pub fn with_room(threads: usize, notes: usize) -> Self {
        let buffers = (0..threads.max(1)).map(|_| Buffer::new(notes)).collect();
        Self {
            buffers,
            dropped: AtomicU64::new(0),
        }
    }

    /// Takes a note. False when there was no room: the note is then lost and counted.
    pub fn note(&self, note: &UseNote) -> bool {
        let buffer = &self.buffers[thread_number() % self.buffers.len()];
        let taken = buffer.push(note);
        if !taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Moves what waits into `fold`; at most what fits into the buffers, so that it ends while notes keep
    /// coming.
    pub fn drain_into(&self, fold: &mut Fold) {
        for buffer in &self.buffers {
            let Buffer { short, full } = buffer;
            for note in std::iter::from_fn(|| short.pop()).take(short.capacity()) {
                fold.put(note.into());
            }
            for note in std::iter::from_fn(|| full.pop()).take(full.capacity()) {
                fold.add(&note);
            }
        }
    }

    /// Counts notes that were lost later, on their way to the database.
    pub fn add_dropped(&self, notes: u64) {
        self.dropped.fetch_add(notes, Ordering::Relaxed);
    }

    /// Notes lost since the start for want of room.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Notes that wait.
    pub fn waiting(&self) -> usize {
        self.buffers.iter().map(Buffer::len).sum()
    }
}

impl fmt::Debug for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uses")
            .field("waiting", &self.waiting())
            .field("dropped", &self.dropped())
            .finish()
    }
}

#[cfg(test)]
mod tests;

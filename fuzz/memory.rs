//! Memory that a target takes -> an end of the run where it takes too much: the sanitizer, which would see it, is not in each build.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    process::abort,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The most bytes at one time. Inputs have up to 64 KiB.
const MOST: usize = 64 << 20;

struct Bounded(AtomicUsize);

#[global_allocator]
static ALLOCATOR: Bounded = Bounded(AtomicUsize::new(0));

// SAFETY: the system's allocator does everything, and this one counts.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.0.fetch_add(layout.size(), Relaxed).saturating_add(layout.size()) > MOST {
            eprintln!("more than {MOST} bytes of memory are taken");
            abort();
        }
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        self.0.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

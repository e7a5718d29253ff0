//! Keys -> values that were made before; the size of the cache is bounded in bytes.

use std::{
    hash::Hash,
    sync::atomic::{AtomicU64, Ordering},
};

use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, sync};

/// A value with a known size in memory.
pub(crate) trait Weigh {
    /// The size in bytes, approximately.
    fn bytes(&self) -> u64;
}

#[derive(Clone)]
struct Bytes;

impl<K, V: Weigh> Weighter<K, V> for Bytes {
    fn weight(&self, _: &K, value: &V) -> u64 {
        // A value of weight 0 would never be evicted.
        value.bytes().max(1)
    }
}

/// A cache bounded in bytes. Concurrent requests for the same value wait for the first one, which makes it.
pub(crate) struct Cache<K, V: Weigh> {
    kept: sync::Cache<K, V, Bytes>,
    /// Requests that found their value in the cache. The counters of `quick_cache` would count a value twice that is made once.
    n_hits: AtomicU64,
    n_misses: AtomicU64,
}

/// The assumed size of an item, from which the initial capacity in items follows.
const USUAL_ITEM_BYTES: u64 = 64 << 10;

impl<K: Eq + Hash + Clone, V: Weigh + Clone> Cache<K, V> {
    pub(crate) fn new(capacity_bytes: u64) -> Self {
        let items = usize::try_from(capacity_bytes / USUAL_ITEM_BYTES).unwrap_or(usize::MAX);
        // One shard: the capacity is divided among shards, and an item larger than the share of its shard would never be cached.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(items.clamp(16, 1 << 16))
            .weight_capacity(capacity_bytes)
            .build()
            .expect("the shares are between 0 and 1");
        let (weighter, hasher) = (Bytes, DefaultHashBuilder::default());
        let kept = sync::Cache::with_options(options, weighter, hasher, sync::DefaultLifecycle::default());
        Self { kept, n_hits: AtomicU64::new(0), n_misses: AtomicU64::new(0) }
    }

    /// The value of this key, from the cache or made now and then cached. Errors are not cached.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) async fn get_or_make<E>(
        &self,
        key: &K,
        make: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        if let Some(value) = self.kept.get(key) {
            self.count(true);
            return Ok(value);
        }
        let mut is_made = false;
        // On the heap: making a value may call this function for other values, and the nested futures would need a lot of stack.
        let counted = Box::pin(async {
            is_made = true;
            make.await
        });
        let value = self.kept.get_or_insert_async(key, counted).await;
        self.count(!is_made);
        value
    }

    /// The value of this key, if it is cached.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let value = self.kept.get(key);
        self.count(value.is_some());
        value
    }

    fn count(&self, is_hit: bool) {
        if is_hit { &self.n_hits } else { &self.n_misses }.fetch_add(1, Ordering::Relaxed);
    }

    /// Caches a value and replaces the one of the same key.
    pub(crate) fn put(&self, key: K, value: V) {
        self.kept.insert(key, value);
    }

    /// The size in bytes, hits and misses so far.
    pub(crate) fn figures(&self) -> (u64, u64, u64) {
        (self.kept.weight(), self.n_hits.load(Ordering::Relaxed), self.n_misses.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Block(u64);

    impl Weigh for Block {
        fn bytes(&self) -> u64 {
            self.0
        }
    }

    async fn put(cache: &Cache<u32, Block>, key: u32, bytes: u64) -> bool {
        let mut made = false;
        let make = async {
            made = true;
            Ok::<_, Infallible>(Block(bytes))
        };
        let Ok(_) = cache.get_or_make(&key, make).await;
        made
    }

    #[tokio::test]
    async fn a_large_item_is_kept_and_the_bound_holds() {
        let cache = Cache::new(64 << 20);
        assert!(put(&cache, 0, 40 << 20).await);
        assert!(!put(&cache, 0, 40 << 20).await, "40 MiB fit into 64");
        assert_eq!(cache.figures(), (40 << 20, 1, 1));
        for key in 1..100 {
            put(&cache, key, 3 << 20).await;
            let (bytes, _, _) = cache.figures();
            assert!(bytes <= 64 << 20, "{bytes}");
        }
        assert!(put(&cache, 200, 65 << 20).await);
        assert!(put(&cache, 200, 65 << 20).await, "an item larger than the cache is made each time");
    }
}

//! What the system says about memory -> how much of it this process may take, and how that is divided.
//!
//! The least of what the machine has, what its cgroups allow (both versions of them) and what `ulimit -v` leaves. It is read once,
//! at the start. Where nothing is said, as on systems without `/proc`, some is assumed.

use std::{fs, num::NonZero, os::unix::process::CommandExt, path::Path, process::Command, thread};

use rustix::process::{Resource, getrlimit};

/// Assumed if nothing says how much there is.
const ASSUMED: u64 = 8 << 30;
/// For the program itself and the index.
const OF_PROGRAM: u64 = 64 << 20;
/// Addresses that threads take: stacks, and a few of glibc's arenas.
const OF_THREADS: u64 = 128 << 20;
/// Of what is left, the caches get at most one part in this many.
const CACHE_SHARE: u64 = 8;
/// Of what is left then, reading and drawing get this many quarters; the rest is for what is not counted.
const WORK_QUARTERS: u64 = 3;
/// What glibc's allocator reads at the start; see mallopt(3) and the chapter on tunables of glibc's manual.
const ARENAS: &str = "MALLOC_ARENA_MAX";
/// Each arena keeps what its busiest moment took and reserves 64 MiB of addresses.
const FEW_ARENAS: usize = 2;
const MOST_ARENAS: usize = 8;
/// What is set beside that. So much that is free at the end of an arena stays there; by itself that grows to 64 MiB. Buffers of up to
/// 32 MiB lie in arenas: mapping each one anew would make pictures a fifth slower. And a thread keeps one freed block of
/// each size and not seven, which lay between others and kept them apart.
const ALLOCATOR_SETTINGS: [(&str, &str); 3] = [
    ("MALLOC_TRIM_THRESHOLD_", "4194304"),
    ("MALLOC_MMAP_THRESHOLD_", "33554432"),
    ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=1"),
];

/// How memory is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// For what may be asked for again, in bytes.
    pub cache_bytes: u64,
    /// For what is being read and drawn, in bytes.
    pub work_bytes: u64,
}

impl Shares {
    /// Divides `most` bytes; the caches get what they are wanted to have, if there is so much.
    #[must_use]
    pub fn of(most: u64, wanted_cache: u64) -> Self {
        let rest = most - OF_PROGRAM.min(most / 2);
        let cache_bytes = wanted_cache.min(rest / CACHE_SHARE);
        Self { cache_bytes, work_bytes: (rest - cache_bytes) / 4 * WORK_QUARTERS }
    }
}

/// How many bytes this process may take.
#[must_use]
pub fn most_bytes() -> u64 {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let machine = read(Path::new("/proc/meminfo")).and_then(|text| bytes_of(&text, "MemTotal:"));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let of_groups = limit_files(&groups).into_iter().filter_map(|file| of_cgroup(&read(Path::new(&file))?));
    let addresses = getrlimit(Resource::As).current.map(|most| {
        let taken = read(Path::new("/proc/self/status")).and_then(|text| bytes_of(&text, "VmSize:"));
        most.saturating_sub(taken.unwrap_or(0) + OF_THREADS)
    });
    of_groups.chain(machine).chain(addresses).min().unwrap_or(ASSUMED)
}

/// Starts this program anew, in the same process, with an allocator that returns free memory to the system. glibc reads these
/// settings only at the start, and calling `mallopt` would be unsafe code. Without them a daemon's memory grew for hours, though what it
/// held grew by the index alone (116 bytes per tensor, as heaptrack counts), and a few threads used up an `ulimit -v`. Pictures
/// are no slower. Does nothing where this was done already, or where the user has set one of these variables.
pub fn tune_allocator() {
    if !cfg!(target_env = "gnu") || own_variables().any(|name| std::env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let is_narrow = getrlimit(Resource::As).current.is_some();
    let arenas = if is_narrow { FEW_ARENAS } else { cores.clamp(FEW_ARENAS, MOST_ARENAS) };
    let mut args = std::env::args_os();
    let mut anew = Command::new(program);
    if let Some(name) = args.next() {
        anew.arg0(name);
    }
    let error = anew.args(args).env(ARENAS, arenas.to_string()).envs(ALLOCATOR_SETTINGS).exec();
    tracing::debug!(%error, "the program could not be started anew");
}

/// The names of what [`tune_allocator`] sets, which is not for other programs.
pub fn own_variables() -> impl Iterator<Item = &'static str> {
    ALLOCATOR_SETTINGS.iter().map(|(name, _)| *name).chain([ARENAS])
}

/// The bytes in a line of this name, as `/proc/meminfo` and `/proc/self/status` have them.
fn bytes_of(text: &str, name: &str) -> Option<u64> {
    let kib = text.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix("kB")?;
    kib.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}

/// The limit in a file of a cgroup; `None` where there is none, which version 2 calls `max` and version 1 a huge number.
fn of_cgroup(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The files in which limits of this process may stand, by its `/proc/self/cgroup`: those of its groups and of the groups around
/// these. A container may see its own group at the root.
fn limit_files(groups: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let (roots, file): (&[&str], &str) = match controllers {
            "" => (&["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (&["/sys/fs/cgroup/memory"], "memory.limit_in_bytes")
            }
            _ => continue,
        };
        for root in roots {
            let around = Path::new(group).ancestors().filter_map(Path::to_str);
            let around = around.filter(|group| !group.split('/').any(|part| part == ".."));
            files.extend(around.map(|group| format!("{root}{}/{file}", group.trim_end_matches('/'))));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn limits_are_read_as_the_kernel_writes_them() {
        let meminfo = "MemTotal:       24683936 kB\nMemFree: 1 kB\n";
        assert_eq!(bytes_of(meminfo, "MemTotal:"), Some(24_683_936 << 10));
        assert_eq!(bytes_of("VmPeak:\t  1 kB\nVmSize:\t  692224 kB\n", "VmSize:"), Some(692_224 << 10));
        assert_eq!(bytes_of(meminfo, "VmSize:"), None);
        assert_eq!(of_cgroup("268435456\n"), Some(256 * MIB));
        assert_eq!(of_cgroup("max\n"), None);
        assert_eq!(of_cgroup("9223372036854771712\n"), Some(9_223_372_036_854_771_712));
    }

    #[test]
    fn the_groups_of_both_versions_and_those_around_them_are_asked() {
        let files = limit_files("12:cpu,cpuacct:/a\n4:memory:/docker/3f\n0::/user.slice/app.service\n");
        assert_eq!(
            files,
            [
                "/sys/fs/cgroup/memory/docker/3f/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/user.slice/app.service/memory.max",
                "/sys/fs/cgroup/user.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
                "/sys/fs/cgroup/unified/user.slice/app.service/memory.max",
                "/sys/fs/cgroup/unified/user.slice/memory.max",
                "/sys/fs/cgroup/unified/memory.max",
            ]
        );
        assert_eq!(
            limit_files("0::/../other\n"),
            ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/unified/memory.max"]
        );
        assert!(limit_files("no group\n").is_empty());
    }

    #[test]
    fn caches_shrink_where_there_is_little() {
        let roomy = Shares::of(16 << 30, 256 * MIB);
        assert_eq!(roomy.cache_bytes, 256 * MIB);
        for most in [0, 1, 64 * MIB, 256 * MIB, 768 * MIB, 16 << 30, u64::MAX] {
            let Shares { cache_bytes, work_bytes } = Shares::of(most, 256 * MIB);
            assert!(cache_bytes <= most / 8, "{most}");
            assert!(cache_bytes + work_bytes <= most - (most / 2).min(64 * MIB), "{most}");
        }
        // What is left of `ulimit -v 786432` when threads have theirs: a picture of a tensor of 256 MiB.
        assert!(Shares::of(620 * MIB, 256 * MIB).work_bytes > 300 * MIB);
    }
}

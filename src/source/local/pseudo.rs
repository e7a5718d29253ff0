//! A directory -> whether it is on a file system that the kernel generates, such as `/proc`, with no files that somebody wrote.
//!
//! Walking these takes longer the more processes and devices there are, and reading some of their files has side effects.

use std::path::Path;

/// The name of the kernel's file system on which `dir` is, if it is on one. The numbers are from `linux/magic.h` and the sources
/// of the file systems. `tmpfs` is not one of them, because people log there.
#[cfg(target_os = "linux")]
pub(super) fn kernel_file_system(dir: &Path) -> Option<&'static str> {
    const KERNEL: [(u64, &str); 22] = [
        (0x9fa0, "proc"),
        (0x6265_6572, "sysfs"),
        (0x1cd1, "devpts"),
        (0x0027_e0eb, "cgroup"),
        (0x6367_7270, "cgroup2"),
        (0x6462_6720, "debugfs"),
        (0x7472_6163, "tracefs"),
        (0x7363_6673, "securityfs"),
        (0xf97c_ff8c, "selinuxfs"),
        (0x4341_5d53, "smackfs"),
        (0xcafe_4a11, "bpf"),
        (0x6165_676c, "pstore"),
        (0xde5e_81e4, "efivarfs"),
        (0x6265_6570, "configfs"),
        (0x4249_4e4d, "binfmt_misc"),
        (0x1980_0202, "mqueue"),
        (0x9584_58f6, "hugetlbfs"),
        (0x6e73_6673, "nsfs"),
        (0x6759_6969, "rpc_pipefs"),
        (0x6573_5543, "fusectl"),
        (0x0765_5821, "resctrl"),
        (0x6c6f_6f70, "binder"),
    ];
    let kind = rustix::fs::statfs(dir).ok()?.f_type as u64 & 0xffff_ffff;
    KERNEL.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

/// On other systems than Linux there are no important ones.
#[cfg(not(target_os = "linux"))]
pub(super) fn kernel_file_system(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernels_own_file_systems_are_known_and_those_of_files_are_not() {
        assert_eq!(kernel_file_system(Path::new("/proc/self")), Some("proc"));
        assert_eq!(kernel_file_system(tempfile::tempdir().unwrap().path()), None);
        assert_eq!(kernel_file_system(Path::new("/there/is/no/such/directory")), None);
    }
}

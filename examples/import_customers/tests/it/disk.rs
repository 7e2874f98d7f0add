use crate::support::{Ending, Setting, customers, expected};
use std::path::Path;
use std::process::Command;

/// A disk of few kilobytes, gone when dropped.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(folder: &'a Path, kilobytes: u32) -> Option<Self> {
        let size = format!("size={kilobytes}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

#[test]
fn a_full_disk_ends_the_import_and_with_space_it_goes_on() {
    let setting = Setting::with_pages(400);
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), 96) else {
        println!("SKIPPED: no file system can be mounted here");
        return;
    };
    let database = folder.path().join("customers.db");
    Ending::of(&mut setting.program_with(&database)).is(6, "full");
    let stored = customers(&database).len();
    assert!(stored > 0 && stored < 2_000, "{stored}");
    let elsewhere = setting.database();
    std::fs::copy(&database, &elsewhere).unwrap();
    drop(disk);
    setting.run().is(0, "resumed");
    assert_eq!(setting.customers(), expected(400));
}

#[test]
fn a_file_that_may_not_grow_ends_the_import_and_later_it_goes_on() {
    let setting = Setting::with_pages(400);
    let mut limited = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\"";
    limited.args(["-c", script, env!("CARGO_BIN_EXE_import_customers")]);
    setting.environment(&mut limited, &setting.database());
    Ending::of(&mut limited).is(6, "the database cannot be used");
    let stored = setting.customers().len();
    assert!(stored > 0 && stored < 2_000, "{stored}");
    setting.run().is(0, "resumed");
    assert_eq!(setting.customers(), expected(400));
}

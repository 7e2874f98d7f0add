use crate::support::{Ending, Setting, expected};
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

    fn grow(&self, kilobytes: u32) {
        let size = format!("remount,size={kilobytes}k");
        assert!(Command::new("mount").args(["-o", &size]).arg(self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

/// The pages, and then the file itself, need some 40 kB each.
const PAGES: u32 = 400;

#[test]
fn a_disk_that_is_full_while_pages_come_leaves_no_file_and_with_space_it_goes_on() {
    let setting = Setting::with_pages(PAGES);
    let Some(disk) = SmallDisk::mount(setting.folder.path(), 24) else {
        println!("SKIPPED: no file system can be mounted here");
        return;
    };
    setting.run("rows.jsonl", &[]).is(6, "No space left on device");
    assert_eq!(setting.files(), [".rows.jsonl.apifetch-pages"]);
    disk.grow(1024);
    setting.run("rows.jsonl", &["--resume"]).is(0, "going on after page");
    assert_eq!(setting.read("rows.jsonl"), expected(PAGES));
}

#[test]
fn a_disk_that_is_full_when_the_file_is_written_leaves_what_was_there() {
    let setting = Setting::with_pages(PAGES);
    let Some(disk) = SmallDisk::mount(setting.folder.path(), 80) else {
        println!("SKIPPED: no file system can be mounted here");
        return;
    };
    std::fs::write(setting.path("rows.jsonl"), "old").unwrap();
    setting.run("rows.jsonl", &[]).is(6, ".rows.jsonl.apifetch-new cannot be written: No space left on device");
    assert_eq!(setting.read("rows.jsonl"), "old");
    assert_eq!(setting.files(), [".rows.jsonl.apifetch-pages", "rows.jsonl"]);
    disk.grow(1024);
    setting.run("rows.jsonl", &["--resume"]).is(0, "400 pages");
    assert_eq!(setting.read("rows.jsonl"), expected(PAGES));
    assert_eq!(setting.server.record().len(), PAGES as usize, "no page was fetched twice");
}

#[test]
fn a_file_that_may_not_grow_is_told_and_later_it_goes_on() {
    let setting = Setting::with_pages(PAGES);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_apifetch")]);
    setting.arguments(&mut limited, "rows.jsonl", &[]);
    Ending::of(&mut limited).is(6, "File too large");
    assert_eq!(setting.files(), [".rows.jsonl.apifetch-pages"]);
    setting.run("rows.jsonl", &["--resume"]).is(0, "going on after page");
    assert_eq!(setting.read("rows.jsonl"), expected(PAGES));
}

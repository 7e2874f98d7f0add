use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// `nobody`, as whom servers run that refuse to run as root.
const NOBODY: u32 = 65_534;

/// A folder that is removed in the end, and who it belongs to.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    is_root: bool,
}

impl Scratch {
    pub(super) fn new(what: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("resilient-{what}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let is_root = fs::metadata(&path).unwrap().uid() == 0;
        if is_root {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Self { path, is_root }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A command that runs in the folder, and never as root.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new(program);
        command.current_dir(&self.path);
        if self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left in the folder for temporary things.
        fs::remove_dir_all(&self.path).ok();
    }
}

//! A small disk in memory or in a file, for tests of disks that are full or may not be written to. Only root may mount one.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// Unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one on a folder, which is made; `None` where this machine allows no mounts.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn mount(folder: &Path, mib: u32) -> anyhow::Result<Option<Self>> {
        fs::create_dir_all(folder)?;
        let is_mounted = mount(&["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"], folder);
        Ok(is_mounted.then(|| Self(folder.to_owned())))
    }

    /// Mounts one with the file system ext4, which holds its promises about space less exactly than memory does: space is
    /// given out late and taken back late. `None` where this machine allows none.
    ///
    /// # Errors
    /// The folder or the file of the disk cannot be made.
    pub fn mount_ext4(folder: &Path, mib: u32) -> anyhow::Result<Option<Self>> {
        fs::create_dir_all(folder)?;
        let image = folder.with_extension("ext4");
        File::create(&image)?.set_len(u64::from(mib) * 1024 * 1024)?;
        let mut make = Command::new("mkfs.ext4");
        // Nothing is kept for root, for whom the disk would not be full.
        make.args(["-q", "-F", "-m", "0"]).arg(&image).stdout(Stdio::null()).stderr(Stdio::null());
        let is_made = make.status().is_ok_and(|status| status.success());
        let is_mounted = is_made && mount(&["-o", "loop", &image.to_string_lossy()], folder);
        Ok(is_mounted.then(|| Self(folder.to_owned())))
    }

    /// From now on it can only be read.
    ///
    /// # Errors
    /// The system refuses.
    pub fn forbid_writing(&self) -> anyhow::Result<()> {
        // A file that is open for writing keeps a whole disk from becoming read-only, but not one mount of it.
        ensure!(mount(&["-o", "bind"], &self.0), "no second mount");
        ensure!(mount(&["-o", "remount,bind,ro"], &self.0), "could not be made read-only");
        Ok(())
    }

    /// Takes all the space there is.
    ///
    /// # Errors
    /// Something else than the end of the space.
    pub fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.ballast())?;
        for block in [64 * 1024, 4096, 512, 1] {
            let bytes = vec![1; block];
            loop {
                match file.write_all(&bytes) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Gives the space back that [`fill`](Self::fill) took.
    ///
    /// # Errors
    /// It was not filled.
    pub fn free(&self) -> anyhow::Result<()> {
        fs::remove_file(self.ballast()).context("the disk was not filled")
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let mut command = Command::new("mount");
    command.args(arguments);
    if arguments == ["-o", "bind"] {
        command.arg(folder);
    }
    command.arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because a process that is being killed may still have files open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

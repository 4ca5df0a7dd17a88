//! A server process that cannot outlive us.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::RealError;

/// A shell stands guard over the server: its standard input is a pipe that we hold. When the pipe closes (we let go
/// of it, or are gone, in whatever way) it kills the server and removes the server's folder; the last one removes the
/// folder around it.
const GUARD: &str = r#"
dir=$1; shift
exec 3<&0
"$@" </dev/null 3<&- >"$dir/log" 2>&1 &
server=$!
{ cat <&3 >/dev/null; [ -e "$dir/ended" ] || kill -9 "$server"; } 2>/dev/null &
wait "$server"
echo "$?" >"$dir/ended"
exec 3<&-
wait
rm -rf -- "$dir"
rmdir -- "${dir%/*}" 2>/dev/null
"#;

/// A running server. It ends when this is dropped, or when this process ends in any way.
pub(super) struct Process {
    name: &'static str,
    folder: PathBuf,
    guard: Child,
    /// Closing it ends the server.
    pipe: Option<ChildStdin>,
}

impl Process {
    /// Starts `program`; `folder` is there and is the server's own.
    pub(super) fn start(
        name: &'static str,
        program: &Path,
        folder: &Path,
        arguments: impl IntoIterator<Item = String>,
    ) -> Result<Self, RealError> {
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(folder)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(RealError::io(format!("sh, to start {name}")))?;
        let pipe = guard.stdin.take();
        Ok(Self {
            name,
            folder: folder.into(),
            guard,
            pipe,
        })
    }

    /// An error with the end of its log, if it has ended.
    pub(super) fn check(&self) -> Result<(), RealError> {
        match fs::read_to_string(self.folder.join("ended")) {
            Ok(code) => Err(RealError::Server(format!(
                "{} ended with code {}:\n{}",
                self.name,
                code.trim(),
                self.last_words()
            ))),
            Err(_) => Ok(()),
        }
    }

    /// The end of its log.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Only so that all is gone when the next one begins; the guard does its work in any case.
        let _ = self.guard.wait();
    }
}

/// Ports that are free now, all different. The servers bind them a moment later.
pub(super) fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut listeners = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir()
            .join(format!("kommodore-guard-{}-{name}", std::process::id()))
            .join("server");
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
        let start = std::time::Instant::now();
        while !condition() {
            assert!(start.elapsed().as_secs() < 30, "{what}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    fn sh(script: &str) -> [String; 2] {
        ["-c".into(), script.into()]
    }

    #[test]
    fn a_server_and_its_folder_are_gone_when_it_is_dropped() {
        let folder = folder("dropped");
        let process = Process::start(
            "sleep",
            Path::new("sh"),
            &folder,
            sh("echo $$; exec sleep 1000"),
        )
        .unwrap();
        wait_for("the server writes", || {
            fs::read_to_string(folder.join("log")).is_ok_and(|log| log.ends_with('\n'))
        });
        let proc = PathBuf::from("/proc").join(process.last_words());
        assert!(proc.exists());
        process.check().unwrap();
        drop(process);
        wait_for("the server ends", || !proc.exists());
        assert!(!folder.parent().unwrap().exists());
    }

    #[test]
    fn a_server_that_ends_says_why() {
        let folder = folder("ended");
        let process = Process::start(
            "sh",
            Path::new("sh"),
            &folder,
            sh("echo no such flag; exit 3"),
        )
        .unwrap();
        wait_for("it ends", || process.check().is_err());
        let error = process.check().unwrap_err().to_string();
        assert_eq!(error, "sh ended with code 3:\nno such flag");
    }

    /// The victim of the next test, which runs it in a process of its own.
    #[test]
    #[ignore = "is started by another test"]
    fn victim() {
        let Some(folder) = std::env::var_os("KOMMODORE_GUARDED_FOLDER") else {
            return;
        };
        let _process = Process::start(
            "sleep",
            Path::new("sh"),
            Path::new(&folder),
            sh("echo $$; exec sleep 1000"),
        )
        .unwrap();
        std::thread::sleep(std::time::Duration::from_secs(1000));
    }

    #[test]
    fn a_server_and_its_folder_are_gone_when_its_owner_is_killed() {
        let folder = folder("killed");
        let mut owner = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "real::process::tests::victim", "--ignored"])
            .env("KOMMODORE_GUARDED_FOLDER", &folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let log = folder.join("log");
        wait_for("the server writes", || {
            fs::read_to_string(&log).is_ok_and(|log| log.ends_with('\n'))
        });
        let proc = PathBuf::from("/proc").join(fs::read_to_string(&log).unwrap().trim());
        assert!(proc.exists());
        owner.kill().unwrap();
        owner.wait().unwrap();
        wait_for("the server ends", || !proc.exists());
        wait_for("the folder goes", || !folder.parent().unwrap().exists());
    }
}

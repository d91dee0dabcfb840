//! The program as the system sees it.

use std::collections::BTreeSet;

use rustix::process::{Pid, Signal};

use super::Program;

impl Program {
    /// Processor time used so far, seconds, and resident memory, bytes (Linux's proc(5)).
    #[must_use]
    pub fn usage(&self) -> Option<(f64, u64)> {
        let stat = self.proc("stat")?;
        // The name before the closing bracket may hold blanks. Ticks are hundredths of a second.
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some((ticks as f64 / 100.0, kib * 1024))
    }

    /// What Linux says of it in this file (proc(5)).
    #[must_use]
    pub fn proc(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).ok()
    }

    /// Its sockets on any network, as the system lists them: tables of Linux's proc(5), each with the column of the
    /// socket's number. `None` where only root may look: the program does not let others look into it.
    #[must_use]
    pub fn sockets(&self) -> Option<Vec<String>> {
        const TABLES: [(&str, usize); 10] = [
            ("tcp", 9),
            ("tcp6", 9),
            ("udp", 9),
            ("udp6", 9),
            ("udplite", 9),
            ("udplite6", 9),
            ("raw", 9),
            ("raw6", 9),
            ("icmp", 9),
            ("packet", 8),
        ];
        let folder = format!("/proc/{}", self.child.id());
        let open = std::fs::read_dir(format!("{folder}/fd")).ok()?;
        let numbers: BTreeSet<String> = open
            .filter_map(|entry| {
                // What is closed meanwhile is none.
                let target = std::fs::read_link(entry.ok()?.path()).ok()?;
                let number = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
                Some(number.to_owned())
            })
            .collect();
        let mut sockets = Vec::new();
        for (table, column) in TABLES {
            let lines = std::fs::read_to_string(format!("{folder}/net/{table}")).unwrap_or_default();
            let is_its = |line: &&str| {
                let number = line.split_whitespace().nth(column);
                number.is_some_and(|number| numbers.contains(number))
            };
            sockets.extend(lines.lines().filter(is_its).map(|line| format!("{table} {line}")));
        }
        Some(sockets)
    }

    /// The number that the system knows it by.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The system wants it to end.
    pub fn interrupt(&self) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, Signal::TERM).expect("it runs");
    }
}

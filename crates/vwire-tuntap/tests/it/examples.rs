//! The examples, run as anybody would run them.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::lab::{ip, lab};

const PATIENCE: Duration = Duration::from_secs(20);

/// A program that is ended with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Starts an example and waits for `lines` lines of its output, by which its devices are there.
    fn example(name: &str, words: &[&str], lines: usize) -> Self {
        Self::program(Command::new(path(name)).args(words), lines)
    }

    /// Starts a program and waits for `lines` lines of its output.
    pub(crate) fn program(command: &mut Command, lines: usize) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..lines {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "{command:?} ended early");
        }
        Self(child)
    }

    /// Starts a namespace that lives as long as the value; a word on its output says that it is there.
    pub(crate) fn namespace() -> Self {
        let words = ["-n", "sh", "-c", "echo there; exec sleep 1000"];
        let mut child = Command::new("unshare").args(words).stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 6]).unwrap();
        Self(child)
    }

    /// Starts a server there and waits until it says that it listens.
    fn listener(&self, line: &str) -> Self {
        let pid = self.0.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid, "-n"]).args(line.split_whitespace()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("listening")), "{line} ended early");
        Self(child)
    }

    pub(crate) fn inside(&self, line: &str) -> String {
        run(&format!("nsenter -t {} -n {line}", self.0.id()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn path(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(name);
    let time = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = ["src", "src/offload", "src/sys"].map(|room| fs::read_dir(package.join(room)));
    let library = library.into_iter().flatten().flatten().flatten().map(|file| file.path());
    let sources = library.chain([package.join("examples").join(name).with_extension("rs")]);
    // `cargo test --test it` builds no examples: one of yesterday would be judged in place of today's.
    let fresh = time(&path).is_some_and(|built| sources.filter_map(|source| time(&source)).all(|time| time <= built));
    assert!(fresh, "{} is not built, or old: `cargo test` without --test builds it", path.display());
    path
}

fn run(line: &str) -> String {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{line}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn icmp_answers_for_every_address() {
    lab(|| {
        let _icmp = Running::example("icmp", &["p0"], 1);
        ip("addr add 10.8.0.1/24 dev p0");
        ip("addr add fd00:8::1/64 dev p0 nodad");
        ip("link set p0 up");
        run("ping -c 3 -i 0.01 -w 10 10.8.0.77");
        run("ping -c 3 -i 0.01 -w 10 -s 1400 10.8.0.78");
        run("ping -c 3 -i 0.01 -w 10 fd00:8::77");
    });
}

#[test]
fn forward_carries_pings_and_streams_between_namespaces() {
    lab(|| {
        let _forward = Running::example("forward", &[], 2);
        let far = Running::namespace();
        ip(&format!("link set fwd1 netns {}", far.0.id()));
        ip("addr add 10.7.0.1/24 dev fwd0");
        ip("link set fwd0 mtu 1420 up");
        far.inside("ip addr add 10.7.0.2/24 dev fwd1");
        far.inside("ip link set fwd1 mtu 1420 up");
        run("ping -c 3 -i 0.01 -w 10 10.7.0.2");
        let _server = far.listener("iperf3 -s -1 --forceflush");
        let report = run("iperf3 -c 10.7.0.2 -n 50M");
        assert!(report.contains("receiver"), "{report}");
        ip("addr add fd00:7::1/64 dev fwd0 nodad");
        far.inside("ip addr add fd00:7::2/64 dev fwd1 nodad");
        let _server = far.listener("iperf3 -s -1 --forceflush");
        let report = run("iperf3 -c fd00:7::2 -n 50M");
        assert!(report.contains("receiver"), "{report}");
    });
}

#[test]
fn sniff_writes_what_tshark_reads() {
    lab(|| {
        let file = std::env::temp_dir().join(format!("sniff-{}.pcapng", std::process::id()));
        let text = file.display().to_string();
        let mut sniff = Running::example("sniff", &["s0", &text], 1);
        ip("addr add 10.6.0.1/24 dev s0");
        ip("link set s0 up");
        let _ = Command::new("ping").args(["-c", "1", "-w", "1", "10.6.0.2"]).output().unwrap();
        ip("link del s0");
        assert!(sniff.0.wait().unwrap().success());
        let read = run(&format!("tshark -r {text} -Y arp.dst.proto_ipv4==10.6.0.2 -T fields -e frame.interface_name"));
        assert!(read.lines().count() > 0 && read.lines().all(|line| line == "s0"), "{read}");
        std::fs::remove_file(file).unwrap();
    });
}

#[test]
fn echo_is_a_host_of_its_own() {
    lab(|| {
        let _echo = Running::example("echo", &["h0", "10.5.0.2/24"], 1);
        ip("addr add 10.5.0.1/24 dev h0");
        ip("link set h0 up");
        run("ping -c 2 -i 0.01 -w 10 10.5.0.2");
        let address: SocketAddr = "10.5.0.2:7".parse().unwrap();
        let begin = Instant::now();
        let callers = [(); 3].map(|()| TcpStream::connect_timeout(&address, PATIENCE).unwrap());
        for mut stream in callers {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let sent: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
            let mut back = vec![0; sent.len()];
            for (piece, room) in sent.chunks(20_000).zip(back.chunks_mut(20_000)) {
                stream.write_all(piece).unwrap();
                stream.read_exact(room).unwrap();
            }
            assert!(back == sent);
        }
        // Some 20 ms in truth. A burst of which a part was left lying took 1 to 10 s, by retransmission.
        assert!(begin.elapsed() < Duration::from_secs(8), "it stalled: {:?}", begin.elapsed());
    });
}

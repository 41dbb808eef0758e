//! Labs of an ordinary user: they persist, held by one process, and nothing is left of it behind the last of them.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, Said, lab, until};

/// `nobody`.
const NOBODY: u32 = 65534;

/// Two nodes and a cable, and a program that goes on running.
pub(crate) const OFFICE: &str = "name = 'office'\nwires = ['alice 10.0.0.1/24 -- bob 10.0.0.2/24']\n\
                      checks = ['alice reaches bob']\n[node.bob]\n\
                      [node.alice]\nrun = [{ command = 'exec sleep 1000', background = true }]\n";

/// An ordinary user, with files in a directory of this test's own, by which the user's keeper is known among those of others.
pub(crate) struct User<'a> {
    net: &'a Lab,
    home: PathBuf,
    /// The environment beside what every command has.
    environment: Vec<(&'static str, String)>,
    uid: u32,
}

impl<'a> User<'a> {
    pub(crate) fn new(net: &'a Lab, name: &str) -> Self {
        // A copy that anyone may run.
        net.run(net.command("cp", &[env!("CARGO_BIN_EXE_vwire"), "/run/vwire-copy"])).ok();
        let home = Path::new("/run").join(format!("{name}-{}", std::process::id()));
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        chown(&home, Some(NOBODY), Some(NOBODY)).unwrap();
        let environment = vec![("XDG_RUNTIME_DIR", home.display().to_string())];
        Self { net, home, environment, uid: NOBODY }
    }

    pub(crate) fn command_of(&self, program: &str, words: &[&str]) -> Command {
        let mut command = self.net.command(program, words);
        // What is root's own on the way to programs would be refused before the next place is tried.
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env_remove("XDG_RUNTIME_DIR").envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.home).uid(self.uid).gid(self.uid);
        command
    }

    fn command(&self, words: &[&str]) -> Command {
        self.command_of("/run/vwire-copy", words)
    }

    #[track_caller]
    pub(crate) fn vwire(&self, words: &[&str]) -> Said {
        self.net.run(self.command(words))
    }

    fn begin(&self, words: &[&str]) -> Child {
        self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Brings a lab up; false, and that is said, where this machine forbids user namespaces.
    #[track_caller]
    pub(crate) fn up(&self, path: &str) -> bool {
        let said = self.vwire(&["up", path]);
        if said.stderr.contains("user namespace: ") {
            let name = std::thread::current().name().unwrap_or("test").to_owned();
            let _ = write!(io::stderr(), "SKIPPED {name}: {}", said.stderr);
            return false;
        }
        said.ok();
        true
    }

    /// Returns the processes that are this user's keepers.
    fn keepers(&self) -> Vec<i32> {
        let tail = format!("lab\0keep\0{}/vwire\0", self.home.display());
        self.processes(|line| line.ends_with(&tail))
    }

    /// Returns the keeper; fails where there is none, or several.
    #[track_caller]
    fn keeper(&self) -> i32 {
        let keepers = self.keepers();
        assert_eq!(keepers.len(), 1);
        keepers[0]
    }

    fn processes(&self, is_it: impl Fn(&str) -> bool) -> Vec<i32> {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let line = |pid: &i32| fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        numbers.filter(|pid| is_it(&line(pid))).collect()
    }

    /// Returns what runs among the processes of a keeper, beside itself.
    fn kept(&self, keeper: i32) -> Vec<i32> {
        let own = fs::read_link(format!("/proc/{keeper}/ns/pid")).unwrap();
        let inside = |pid: &i32| fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|other| other == own);
        let mut all = self.processes(|line| !line.is_empty());
        all.retain(|pid| *pid != keeper && inside(pid));
        all
    }

    /// Fails where anything is left of a keeper.
    #[track_caller]
    fn nothing_is_left(&self) {
        assert_eq!(self.keepers(), Vec::<i32>::new());
        assert!(!self.home.join("vwire").exists(), "{:?}", fs::read_dir(self.home.join("vwire")).map(Iterator::count));
    }
}

impl Drop for User<'_> {
    fn drop(&mut self) {
        for pid in self.keepers() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

#[track_caller]
fn ended(mut child: Child) -> Said {
    let status = until("its end", || child.try_wait().unwrap());
    let read = |from: &mut dyn io::Read| io::read_to_string(from).unwrap();
    let (stdout, stderr) = (read(&mut child.stdout.take().unwrap()), read(&mut child.stderr.take().unwrap()));
    Said { stdout, stderr, exit: status.code().unwrap_or(-1) }
}

fn exists(pid: i32) -> bool {
    // What has ended, and waits to be noticed, has no words any more.
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[test]
fn a_lab_stays_until_it_is_taken_down_and_then_nothing_is_left() {
    lab(|net| {
        let user = User::new(net, "stays");
        let path = user.file("office.toml", OFFICE);
        if !user.up(&path) {
            return;
        }
        let keeper = user.keeper();
        let files = fs::read_dir("/run/netns").unwrap().count();
        assert_eq!((files, Path::new("/run/vwire").exists()), (0, false), "nothing is named on this machine");
        assert_eq!(fs::metadata(user.home.join("vwire")).unwrap().mode() & 0o7777, 0o700);
        let ping = user.vwire(&["exec", "alice", "--", "ping", "-c1", "-W5", "bob"]);
        assert!(ping.stdout.contains("64 bytes from bob (10.0.0.2)"), "{}{}", ping.stdout, ping.stderr);
        assert_eq!(user.vwire(&["status"]).ok(), "lab `office` is as it was applied: 2 nodes, 1 wire\n");
        assert_eq!(user.vwire(&["lab", "ls"]).ok(), "office: 2 nodes, 1 wire: alice, bob\n");
        assert_eq!(user.vwire(&["up", &path]), Said { stdout: String::new(), stderr: String::new(), exit: 0 });
        assert!(user.vwire(&["check"]).ok().ends_with("the one check holds\n"));
        assert!(user.vwire(&["graph", "-l", "office"]).ok().contains("alice eth0 10.0.0.1/24 ─── bob eth0"));
        assert!(user.vwire(&["import", "office.alice", "office.bob"]).ok().contains("10.0.0.1/24 -- office-bob:eth0"));
        user.vwire(&["-n", "office.bob", "link", "set", "eth0", "mtu", "1400"]).ok();
        let drift = user.vwire(&["status", "office"]);
        assert!(drift.stdout.contains("bob: link eth0: mtu is 1400, should be 1500"), "{}", drift.stdout);
        assert_eq!(drift.exit, 3);
        let plan = user.vwire(&["plan", &path]);
        assert_eq!((plan.stdout.as_str(), plan.exit), ("bob\n  ~ link set eth0 mtu 1500 (was mtu 1400)\n", 3));
        user.vwire(&["up", &path]).ok();
        user.vwire(&["status"]).ok();
        assert_eq!(user.keeper(), keeper, "it is the same all the time");
        assert_eq!(user.vwire(&["down", "office"]), Said { stdout: String::new(), stderr: String::new(), exit: 0 });
        user.nothing_is_left();
    });
}

#[test]
fn without_a_lab_nothing_is_started_to_say_so() {
    lab(|net| {
        let user = User::new(net, "none");
        let path = user.file("office.toml", OFFICE);
        let plan = user.vwire(&["plan", &path]);
        if plan.stderr.contains("user namespace: ") {
            return;
        }
        assert!(plan.stdout.contains("alice\n  + netns add office.alice\n"), "{}{}", plan.stdout, plan.stderr);
        assert_eq!(plan.exit, 3);
        assert_eq!(user.vwire(&["lab", "ls"]).ok(), "");
        let down = user.vwire(&["down", "office"]);
        assert_eq!((down.stderr.as_str(), down.exit), ("there is nothing of lab `office`\n", 0));
        let none = "error: no lab is up\nhint: `vwire up FILE` brings one up\n";
        assert_eq!(user.vwire(&["status"]).fails(1), none);
        assert_eq!(user.vwire(&["exec", "alice", "--", "true"]).fails(1), none);
        assert!(user.vwire(&["status", "office"]).fails(1).starts_with("error: lab `office` is not up\n"));
        let told = user.vwire(&["exec", "office.alice", "--", "true"]).fails(126);
        assert!(told.starts_with("error: lab `office` is not up\n"), "{told}");
        assert!(
            user.vwire(&["confirm", "office"]).fails(1).starts_with("error: lab `office` has nothing to confirm\n")
        );
        user.nothing_is_left();
    });
}

#[test]
fn two_labs_stand_side_by_side_and_what_runs_in_one_ends_with_it() {
    lab(|net| {
        let user = User::new(net, "two");
        let daemons = OFFICE.replace("exec sleep 1000", "setsid sleep 1000 & setsid env -i sleep 1000 &");
        let office = user.file("office.toml", &daemons);
        if !user.up(&office) {
            return;
        }
        let keeper = user.keeper();
        user.vwire(&["up", &user.file("home.toml", &OFFICE.replace("office", "home"))]).ok();
        assert_eq!(user.keeper(), keeper);
        let listed = "home: 2 nodes, 1 wire: alice, bob\noffice: 2 nodes, 1 wire: alice, bob\n";
        assert_eq!(user.vwire(&["lab", "ls"]).ok(), listed);
        assert!(user.vwire(&["status"]).fails(1).starts_with("error: several labs are up: `home`, `office`\n"));
        until("programs run in each", || (user.kept(keeper).len() == 3).then_some(()));
        user.vwire(&["down", &office]).ok();
        assert_eq!(user.kept(keeper).len(), 1);
        assert_eq!(user.keeper(), keeper, "it stays with the other lab");
        user.vwire(&["status"]).ok();
        let last = user.kept(keeper)[0];
        user.vwire(&["down", "home"]).ok();
        user.nothing_is_left();
        assert!(!exists(last));
    });
}

#[test]
fn many_that_come_up_and_go_down_at_once_have_one_keeper_and_leave_none() {
    lab(|net| {
        let user = User::new(net, "many");
        if !user.up(&user.file("office.toml", OFFICE)) {
            return;
        }
        user.vwire(&["down", "office"]).ok();
        let names = ["a", "b", "c", "d"];
        let files = names.map(|name| user.file(&format!("{name}.toml"), &OFFICE.replace("office", name)));
        for _ in 0..3 {
            let all: Vec<Child> = files.iter().chain(&files).map(|path| user.begin(&["up", path])).collect();
            all.into_iter().for_each(|child| drop(ended(child).ok()));
            user.keeper();
            assert_eq!(user.vwire(&["lab", "ls"]).ok().lines().count(), 4);
            let all: Vec<Child> = names.iter().map(|name| user.begin(&["down", name])).collect();
            all.into_iter().for_each(|child| drop(ended(child).ok()));
            user.nothing_is_left();
        }
    });
}

#[test]
fn a_lab_that_comes_up_while_the_last_goes_down_is_up() {
    lab(|net| {
        let user = User::new(net, "race");
        let (one, other) = (user.file("one.toml", &OFFICE.replace("office", "one")), user.file("other.toml", OFFICE));
        if !user.up(&one) {
            return;
        }
        let mut paths = [one, other];
        for _ in 0..15 {
            let (down, up) = (user.begin(&["down", &paths[0]]), user.begin(&["up", &paths[1]]));
            ended(down).ok();
            ended(up).ok();
            user.vwire(&["status"]).ok();
            user.keeper();
            paths.reverse();
        }
        user.vwire(&["down", &paths[0]]).ok();
        user.nothing_is_left();
    });
}

#[test]
fn a_keeper_that_is_killed_takes_all_along_and_the_next_verb_says_so() {
    lab(|net| {
        let user = User::new(net, "killed");
        let path = user.file("office.toml", OFFICE);
        if !user.up(&path) {
            return;
        }
        let keeper = user.keeper();
        let program = user.begin(&["exec", "alice", "--", "sleep", "1000"]);
        let inside = until("two programs", || Some(user.kept(keeper)).filter(|all| all.len() == 2));
        kill(Pid::from_raw(keeper), Signal::SIGKILL).unwrap();
        until("the end of all inside", || (!inside.iter().any(|pid| exists(*pid))).then_some(()));
        let said = ended(program);
        assert_eq!(said.fails(137), "error: the process that keeps your labs has ended, and all that was in them\n");
        let lost = "warning: the process that kept your labs was killed, and they went with it\n";
        let none = "error: no lab is up\nhint: `vwire up FILE` brings one up\n";
        assert_eq!(user.vwire(&["status"]).fails(1), format!("{lost}{none}"));
        user.nothing_is_left();
        assert_eq!(user.vwire(&["status"]).fails(1), none, "it is said once");
        user.vwire(&["up", &path]).ok();
        kill(Pid::from_raw(user.keeper()), Signal::SIGKILL).unwrap();
        let said = user.vwire(&["up", &path]);
        assert_eq!((said.stderr.as_str(), said.exit), (lost, 0));
        user.vwire(&["check"]).ok();
        user.vwire(&["down", "office"]).ok();
        user.nothing_is_left();
    });
}

#[test]
fn a_keeper_that_nobody_finds_any_more_ends() {
    lab(|net| {
        let user = User::new(net, "lost");
        let path = user.file("office.toml", OFFICE);
        if !user.up(&path) {
            return;
        }
        fs::remove_dir_all(user.home.join("vwire")).unwrap();
        until("its end", || user.keepers().is_empty().then_some(()));
        user.vwire(&["up", &path]).ok();
        user.vwire(&["down", &path]).ok();
        user.nothing_is_left();
    });
}

#[test]
fn an_up_that_is_killed_is_undone_by_the_next_or_by_down() {
    lab(|net| {
        let user = User::new(net, "cut");
        if !user.up(&user.file("office.toml", OFFICE)) {
            return;
        }
        user.vwire(&["down", "office"]).ok();
        let begun = user.home.join("begun");
        let slow = format!("{OFFICE}[node.carol]\nrun = ['touch {}; exec sleep 1000']\n", begun.display());
        let slow = user.file("slow.toml", &slow);
        for heal in [&["up"][..], &["down"]] {
            let mut up = user.begin(&["up", &slow]);
            until("the command", || fs::remove_file(&begun).ok());
            up.kill().unwrap();
            up.wait().unwrap();
            let keeper = user.keeper();
            let is_verb = |line: &str| line.starts_with("/run/vwire-copy\0up\0") && line.contains(&slow);
            until("the end of the verb inside", || user.processes(is_verb).is_empty().then_some(()));
            assert_eq!(user.keeper(), keeper, "what was begun is kept, to be undone");
            let said = user.vwire(&[heal[0], &user.file("office.toml", OFFICE)]);
            assert_eq!(said.exit, 0, "{}", said.stderr);
            if heal == ["up"] {
                assert_eq!(user.vwire(&["status"]).ok(), "lab `office` is as it was applied: 2 nodes, 1 wire\n");
                user.vwire(&["down", "office"]).ok();
            }
            user.nothing_is_left();
        }
    });
}

#[test]
fn an_up_that_fails_leaves_no_keeper() {
    lab(|net| {
        let user = User::new(net, "fails");
        let said = user.vwire(&["up", &user.file("bad.toml", "[node.a]\nrun = ['exit 3']\n")]);
        if said.stderr.contains("user namespace: ") {
            return;
        }
        assert!(said.fails(1).starts_with("error: `sh -c exit 3` in `a` failed: exit status: 3\n"));
        user.nothing_is_left();
        let said = user.vwire(&["try", &user.file("checks.toml", "checks = ['a reaches b']\n[node.a]\n[node.b]\n")]);
        assert!(said.exit != 0 && !said.stderr.is_empty());
        user.nothing_is_left();
        assert!(user.vwire(&["try", &user.file("office.toml", OFFICE)]).ok().contains("the one check holds\n"));
        user.nothing_is_left();
    });
}

#[test]
fn a_program_in_a_node_is_the_users_own_and_hears_signals_and_ends_as_it_ends() {
    lab(|net| {
        let user = User::new(net, "program");
        if !user.up(&user.file("office.toml", OFFICE)) {
            return;
        }
        let sh = |line: &str| user.vwire(&["exec", "alice", "--", "sh", "-c", line]);
        let said = sh("pwd; echo $VWIRE_LAB $VWIRE_NODE; id -u; touch made; getent hosts bob | cut -d' ' -f1").ok();
        assert_eq!(said, format!("{}\noffice alice\n0\n10.0.0.2\n", user.home.display()));
        assert_eq!(fs::metadata(user.home.join("made")).unwrap().uid(), NOBODY);
        assert_eq!(sh("exit 7").exit, 7);
        assert_eq!(user.vwire(&["exec", "alice", "--", "nosuchprogram"]).exit, 126);
        use std::os::unix::process::ExitStatusExt;
        let killed = user.command(&["exec", "alice", "--", "sh", "-c", "kill -TERM $$"]).status().unwrap();
        assert_eq!(killed.signal(), Some(nix::libc::SIGTERM));
        // A signal to the process that was called reaches the one inside.
        let line = "trap 'exit 9' USR1; touch ready; while :; do sleep 0.01; done";
        let child = user.begin(&["exec", "alice", "--", "sh", "-c", line]);
        until("the trap", || user.home.join("ready").exists().then_some(()));
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGUSR1).unwrap();
        assert_eq!(ended(child).exit, 9);
        // And with its end, by whatever signal, the one inside ends.
        let keeper = user.keeper();
        let mut child = user.begin(&["exec", "alice", "--", "sleep", "1000"]);
        until("the program", || (user.kept(keeper).len() == 2).then_some(()));
        child.kill().unwrap();
        child.wait().unwrap();
        until("its end", || (user.kept(keeper).len() == 1).then_some(()));
        user.vwire(&["down", "office"]).ok();
        user.nothing_is_left();
    });
}

#[test]
fn a_lab_on_trial_is_undone_in_time_and_leaves_no_keeper() {
    lab(|net| {
        let user = User::new(net, "trial");
        let path = user.file("office.toml", OFFICE);
        let said = user.vwire(&["up", "--confirm", "1s", &path]);
        if said.stderr.contains("user namespace: ") {
            return;
        }
        said.ok();
        until("its end", || user.keepers().is_empty().then_some(()));
        user.nothing_is_left();
        user.vwire(&["up", "--confirm", "60s", &path]).ok();
        assert!(user.vwire(&["lab", "ls"]).ok().contains("waits to be confirmed, for "));
        user.vwire(&["confirm"]).ok();
        user.vwire(&["status"]).ok();
        user.vwire(&["down", &path]).ok();
        user.nothing_is_left();
    });
}

#[test]
fn roots_labs_are_told_and_left_to_root() {
    lab(|net| {
        let user = User::new(net, "roots");
        let path = user.file("office.toml", OFFICE);
        net.vwire(&["up", &path]).ok();
        assert_eq!(user.vwire(&["lab", "ls"]).ok(), "office: 2 nodes, 1 wire: alice, bob; root's\n");
        let roots = "error: lab `office` is root's\nhint: `sudo vwire …` works with it\n";
        for words in [&["status", "office"][..], &["down", &path], &["exec", "office.alice", "--", "true"]] {
            assert_eq!(user.vwire(words).fails(1), roots, "{words:?}");
        }
        assert!(user.vwire(&["status"]).fails(1).starts_with("error: no lab of yours is up, only root's\n"));
        if user.up(&path) {
            let both = "office: 2 nodes, 1 wire: alice, bob\noffice: 2 nodes, 1 wire: alice, bob; root's\n";
            assert_eq!(user.vwire(&["lab", "ls"]).ok(), both);
            assert!(user.vwire(&["-j", "lab", "ls"]).ok().ends_with(",\"owner\":\"root\"}]\n"));
            user.vwire(&["check", "office"]).ok();
            user.vwire(&["down", "office"]).ok();
            user.nothing_is_left();
        }
        net.vwire(&["status", "office"]).ok();
        net.vwire(&["down", "office"]).ok();
    });
}

#[test]
fn the_machine_itself_is_left_to_root() {
    lab(|net| {
        let user = User::new(net, "machine");
        let path = user.file("host.toml", "wires = ['host:v0 10.0.0.1/24 -- a 10.0.0.2/24']\n[node.a]\n");
        for verb in ["up", "plan", "try"] {
            let told = user.vwire(&[verb, &path]).fails(1);
            let wanted = format!(
                "error: `host` is the machine itself, which root alone may change\n  --> {path}:1:11\n\
                 1 | wires = ['host:v0 10.0.0.1/24 -- a 10.0.0.2/24']\n  |           ^^^^^^^^^^^^^^^^^^^\n\
                 hint: `sudo vwire up FILE` brings it up; a node of another name needs no root\nnothing was changed\n"
            );
            assert_eq!(told, wanted);
        }
        let path = user.file("card.toml", "[node.a.macvlan.eth0]\nparent = 'host:eth0'\n");
        let told = user.vwire(&["up", &path]).fails(1);
        let wanted = "error: `host:eth0` is a device of the machine itself, on which root alone may put others\n";
        assert!(
            told.starts_with(wanted) && told.contains("2 | parent = 'host:eth0'\n  |           ^^^^^^^^^\n"),
            "{told}"
        );
        user.nothing_is_left();
    });
}

#[test]
fn a_machine_that_forbids_it_is_told_which_setting_to_change() {
    lab(|net| {
        let user = User::new(net, "forbidden");
        chown(&user.home, Some(0), Some(0)).unwrap();
        let path = user.file("office.toml", OFFICE);
        // A user namespace whose own limit of further ones is 0.
        let script = "echo 0 > /proc/sys/user/max_user_namespaces; \
                      exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin /run/vwire-copy up \"$0\"";
        let mut command = net.command("unshare", &["-Ur", "sh", "-c", script, &path]);
        command.env("XDG_RUNTIME_DIR", &user.home);
        assert_eq!(
            net.run(command).fails(1),
            "error: cannot make a user namespace: No space left on device\n\
             hint: this machine has user.max_user_namespaces = 0; \
             `sudo sysctl -w user.max_user_namespaces=15000` allows it\n\
             hint: `sudo vwire up FILE` needs no user namespace\nnothing was changed\n"
        );
        user.nothing_is_left();
    });
}

/// Gives this test a `/dev/net/tun` of its own.
fn tun_device(net: &Lab, mode: &str) {
    if !Path::new("/dev/net").exists() {
        return;
    }
    net.run(net.command("mount", &["-t", "tmpfs", "-o", "mode=755", "tmpfs", "/dev/net"])).ok();
    net.run(net.command("mknod", &["-m", mode, "/dev/net/tun", "c", "10", "200"])).ok();
}

#[test]
fn a_closed_device_file_is_told_before_anything_is_touched() {
    lab(|net| {
        tun_device(net, "600");
        let user = User::new(net, "closed");
        let said = user.vwire(&["up", &user.file("tap.toml", "[node.a.tap.tap0]\n")]);
        if said.stderr.contains("user namespace: ") {
            return;
        }
        assert_eq!(
            said.fails(1),
            "error: the lab has TUN or TAP devices, and /dev/net/tun cannot be opened: Permission denied\n\
             hint: its mode is 0600; `sudo chmod 0666 /dev/net/tun` opens it, as most distributions do\n\
             nothing was changed\n"
        );
        user.nothing_is_left();
    });
}

#[test]
fn a_tap_belongs_to_its_user_and_to_nobody_else() {
    lab(|net| {
        tun_device(net, "666");
        let user = User::new(net, "owner");
        let path = user.file("tap.toml", "name = 'tap'\n[node.a.tap.tap0]\nowner = 'nobody'\ngroup = '65534'\n");
        if !user.up(&path) {
            return;
        }
        assert_eq!(user.vwire(&["status"]).ok(), "lab `tap` is as it was applied: 1 node\n");
        let shown = user.vwire(&["-n", "tap.a", "-d", "link", "show", "tap0"]).ok();
        assert!(shown.contains(" user root group root"), "{shown}");
        assert_eq!(user.vwire(&["up", &path]).ok(), "");
        user.vwire(&["down", &path]).ok();
        let path = user.file("tap.toml", "[node.a.tap.tap0]\nowner = 'daemon'\n");
        assert_eq!(
            user.vwire(&["up", &path]).fails(1),
            format!(
                "error: `tap0` in `a` cannot belong to user 1: without root, nobody but you can own a device\n  \
                 --> {path}:1:13\n1 | [node.a.tap.tap0]\n  |             ^^^^\nhint: leave the owner out, or name yourself; `sudo vwire up FILE` knows all users\n\
                 nothing was changed\n"
            )
        );
        user.nothing_is_left();
    });
}

#[test]
fn a_place_that_somebody_else_has_made_is_refused() {
    lab(|net| {
        let mut user = User::new(net, "hostile");
        user.environment.clear();
        // This test's own /tmp.
        net.run(net.command("mount", &["-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp"])).ok();
        let path = user.file("office.toml", OFFICE);
        let place = Path::new("/tmp/vwire-65534");
        let refused = |user: &User<'_>, why: &str| {
            let told = user.vwire(&["up", &path]).fails(1);
            let wanted = format!("error: /tmp/vwire-65534 {why}: it is not to be trusted with labs of yours\n");
            assert!(told.starts_with(&wanted) && told.ends_with("nothing was changed\n"), "{told}");
            assert!(told.contains("\nhint: or set XDG_RUNTIME_DIR to a directory of your own, with mode 0700\n"));
            assert!(user.vwire(&["status"]).fails(1).starts_with(&wanted));
        };
        fs::create_dir(place).unwrap();
        refused(&user, "belongs to user 0");
        fs::set_permissions(place, fs::Permissions::from_mode(0o700)).unwrap();
        refused(&user, "is closed to you");
        chown(place, Some(NOBODY), Some(NOBODY)).unwrap();
        fs::set_permissions(place, fs::Permissions::from_mode(0o770)).unwrap();
        refused(&user, "has mode 0770, and so is open to others");
        fs::remove_dir(place).unwrap();
        std::os::unix::fs::symlink(&user.home, place).unwrap();
        refused(&user, "is no directory");
        // Who has a directory of their own does not look there.
        user.environment = vec![("XDG_RUNTIME_DIR", user.home.display().to_string())];
        assert_eq!(user.vwire(&["lab", "ls"]).ok(), "");
        user.environment.clear();
        fs::remove_file(place).unwrap();
        let tail = "lab\0keep\0/tmp/vwire-65534\0";
        let network = fs::read_link("/proc/thread-self/ns/net").unwrap();
        if !user.up(&path) {
            return;
        }
        // Others of this user may be kept there, outside of this test: only what this one says counts.
        let pid: i32 = fs::read_to_string(place.join("keeper")).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(user.processes(|line| line.ends_with(tail)).contains(&pid));
        assert_ne!(fs::read_link(format!("/proc/{pid}/ns/net")).unwrap(), network);
        // With a directory of the user's own the same one is found.
        user.environment = vec![("XDG_RUNTIME_DIR", user.home.display().to_string())];
        user.vwire(&["check"]).ok();
        user.vwire(&["down", "office"]).ok();
        assert!(!exists(pid) && !place.exists());
    });
}

#[test]
fn who_is_root_and_has_no_power_goes_the_same_way() {
    lab(|net| {
        let mut user = User::new(net, "powerless");
        chown(&user.home, Some(0), Some(0)).unwrap();
        user.uid = 0;
        let path = user.file("office.toml", OFFICE);
        let powerless = |words: &[&str]| {
            let first = ["--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "/run/vwire-copy"];
            net.run(user.command_of("setpriv", &[&first[..], words].concat()))
        };
        let said = powerless(&["up", &path]);
        if said.stderr.contains("user namespace: ") {
            return;
        }
        said.ok();
        user.keeper();
        powerless(&["check"]).ok();
        assert_eq!(net.vwire(&["lab", "ls"]).ok(), "", "it is not the machine's");
        powerless(&["down", "office"]).ok();
        user.nothing_is_left();
    });
}

#[test]
fn a_verb_from_another_namespace_of_processes_is_told_and_leaves_the_labs_alone() {
    lab(|net| {
        let user = User::new(net, "elsewhere");
        let path = user.file("office.toml", OFFICE);
        if !user.up(&path) {
            return;
        }
        let keeper = user.keeper();
        let told = "error: the process that keeps your labs is in another namespace of processes\n\
                    hint: call vwire outside: in a terminal that is in no node and in no container\nnothing was changed\n";
        let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "/run/vwire-copy"];
        for words in [&["lab", "ls"][..], &["status"], &["down", "office"], &["up", &path]] {
            let first = ["-p", "-f", "--mount-proc", "--", "setpriv"];
            let mut command = net.command("unshare", &[&first[..], &nobody, words].concat());
            command.env("XDG_RUNTIME_DIR", &user.home).current_dir(&user.home);
            assert_eq!(net.run(command).fails(1), told, "{words:?}");
        }
        assert_eq!(user.keeper(), keeper);
        user.vwire(&["status"]).ok();
        user.vwire(&["down", "office"]).ok();
        user.nothing_is_left();
    });
}

#[test]
fn a_verb_without_power_in_a_node_is_told_and_leaves_the_labs_alone() {
    lab(|net| {
        let user = User::new(net, "within");
        if !user.up(&user.file("office.toml", OFFICE)) {
            return;
        }
        let keeper = user.keeper();
        let powerless =
            ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "/run/vwire-copy", "lab", "ls"];
        let told = user.vwire(&[&["exec", "alice", "--"][..], &powerless].concat()).fails(1).to_owned();
        assert!(
            told.starts_with("error: the process that keeps your labs is in another namespace of processes\n"),
            "{told}"
        );
        assert_eq!(user.keeper(), keeper);
        user.vwire(&["status"]).ok();
        user.vwire(&["down", "office"]).ok();
        user.nothing_is_left();
    });
}

#[test]
fn who_does_not_care_for_children_hears_of_the_end_all_the_same() {
    lab(|net| {
        let user = User::new(net, "careless");
        let path = user.file("office.toml", OFFICE);
        if !user.up(&path) {
            return;
        }
        let careless = |words: &[&str]| {
            let mut command =
                user.command_of("env", &[&["--ignore-signal=CHLD", "/run/vwire-copy"][..], words].concat());
            ended(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        };
        assert_eq!(careless(&["status"]).ok(), "lab `office` is as it was applied: 2 nodes, 1 wire\n");
        assert_eq!(careless(&["exec", "alice", "--", "sh", "-c", "exit 7"]).exit, 7);
        assert_eq!(careless(&["down", "office"]).exit, 0);
        assert_eq!(careless(&["up", &path]).exit, 0);
        // What it starts finds it as it was.
        let ignored = |said: Said| u64::from_str_radix(said.ok().trim(), 16).unwrap() >> 16 & 1;
        let own = ["exec", "alice", "--", "sed", "-n", "s/^SigIgn:\t//p", "/proc/self/status"];
        assert_eq!((ignored(careless(&own)), ignored(user.vwire(&own))), (1, 0));
        careless(&["down", "office"]).ok();
        user.nothing_is_left();
    });
}

#[test]
fn a_keeper_that_cannot_look_does_not_take_its_labs_for_gone() {
    lab(|net| {
        let user = User::new(net, "blind");
        if !user.up(&user.file("office.toml", OFFICE)) {
            return;
        }
        let keeper = user.keeper();
        let home = user.file("home.toml", &OFFICE.replace("office", "home"));
        let limit = |most: &str| {
            let words = ["--pid", &keeper.to_string(), &format!("--nofile={most}:")];
            net.run(user.command_of("prlimit", &words)).ok();
        };
        limit("4");
        for _ in 0..3 {
            user.vwire(&["up", &home]).ok();
            user.vwire(&["down", "home"]).ok();
            assert_eq!(user.keeper(), keeper);
            user.vwire(&["status"]).ok();
        }
        limit("1024");
        user.vwire(&["down", "office"]).ok();
        until("its end", || user.keepers().is_empty().then_some(()));
        user.nothing_is_left();
    });
}

#[test]
fn a_program_runs_in_no_other_directory_than_the_one_it_was_typed_in() {
    lab(|net| {
        let user = User::new(net, "directory");
        let hidden = user.home.join("hidden");
        fs::create_dir(&hidden).unwrap();
        let path = user.file("office.toml", OFFICE);
        if !user.up(&path) {
            return;
        }
        // One that is made in /run later, and one where something is mounted later.
        let later = Path::new("/run").join(format!("later-{}", std::process::id()));
        fs::create_dir(&later).unwrap();
        net.run(net.command("mount", &["-t", "tmpfs", "tmpfs", &hidden.display().to_string()])).ok();
        for directory in [&later, &hidden] {
            let there = |words: &[&str]| {
                let mut command = user.command(words);
                command.current_dir(directory);
                net.run(command)
            };
            let what =
                format!("{} is not seen where your labs are: it was mounted or made later\n", directory.display());
            for words in [&["exec", "alice", "--", "pwd"][..], &["shell", "alice"], &["-n", "office.bob", "link"]] {
                let Said { stdout, stderr, exit } = there(words);
                assert_eq!((stdout.as_str(), exit), ("", 1), "{words:?}: {stderr}");
                assert!(stderr.starts_with(&format!("error: {what}hint: ")), "{words:?}: {stderr}");
            }
            let said = there(&["status", "office"]);
            assert_eq!((said.stderr, said.exit), (format!("warning: {what}"), 0));
        }
        let seen = user.home.join("seen");
        fs::create_dir(&seen).unwrap();
        let mut command = user.command(&["exec", "alice", "--", "pwd"]);
        command.current_dir(&seen);
        assert_eq!(net.run(command).ok(), format!("{}\n", seen.display()));
        user.vwire(&["down", "office"]).ok();
        user.nothing_is_left();
        let _ = fs::remove_dir(later);
    });
}

#[test]
fn a_keeper_that_is_asked_to_end_ends_with_all_in_it_and_leaves_nothing() {
    lab(|net| {
        let user = User::new(net, "asked");
        let path = user.file("office.toml", OFFICE);
        if !user.up(&path) {
            return;
        }
        for signal in [Signal::SIGTERM, Signal::SIGHUP] {
            user.vwire(&["up", &path]).ok();
            let keeper = user.keeper();
            let inside = user.kept(keeper);
            // One that stays on the way holds nothing up.
            let monitor = user.begin(&["-n", "office.alice", "monitor"]);
            until("the monitor", || (user.kept(keeper).len() > inside.len()).then_some(()));
            kill(Pid::from_raw(keeper), signal).unwrap();
            until("the end of all inside", || (!inside.iter().any(|pid| exists(*pid))).then_some(()));
            ended(monitor);
            until("its end", || user.keepers().is_empty().then_some(()));
            user.nothing_is_left();
            let none = "error: no lab is up\nhint: `vwire up FILE` brings one up\n";
            assert_eq!(user.vwire(&["status"]).fails(1), none);
        }
    });
}

#[test]
fn a_signal_of_real_time_ends_the_process_outside_as_well() {
    lab(|net| {
        let user = User::new(net, "realtime");
        if !user.up(&user.file("office.toml", OFFICE)) {
            return;
        }
        use std::os::unix::process::ExitStatusExt;
        let killed = user.command(&["exec", "alice", "--", "sh", "-c", "kill -40 $$"]).status().unwrap();
        assert_eq!(killed.signal(), Some(40));
        user.vwire(&["down", "office"]).ok();
        user.nothing_is_left();
    });
}

#[test]
fn a_umask_that_closes_all_closes_nothing_to_its_owner() {
    lab(|net| {
        let user = User::new(net, "umask");
        let path = user.file("office.toml", OFFICE);
        let said = net.run(user.command_of("sh", &["-c", "umask 0777; exec /run/vwire-copy up \"$0\"", &path]));
        if said.stderr.contains("user namespace: ") {
            return;
        }
        said.ok();
        assert_eq!(fs::metadata(user.home.join("vwire")).unwrap().mode() & 0o7777, 0o700);
        assert_eq!(
            fs::read(format!("/proc/{}/environ", user.keeper())).unwrap(),
            b"",
            "it keeps nothing of who typed it"
        );
        user.vwire(&["status"]).ok();
        user.vwire(&["down", "office"]).ok();
        user.nothing_is_left();
    });
}

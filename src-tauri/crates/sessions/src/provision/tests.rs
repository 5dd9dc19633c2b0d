use std::io::Read;

use expect_test::{Expect, expect};

use super::{FolderUser, Provision, UserTables, group_with_coder, passwd_with_coder, tar};

const USER: FolderUser = FolderUser {
    uid: 4321,
    gid: 4322,
};

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
    daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
    coder:x:1000:1000::/home/coder:/bin/zsh\n\
    other:x:4321:7::/home/other:/bin/sh\n";

fn listing(bytes: &[u8]) -> String {
    let mut archive = tar::Archive::new(bytes);
    let mut lines = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let header = entry.header();
        lines += &format!(
            "{:o} {}:{} {} {}\n",
            header.mode().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap(),
            entry.path().unwrap().display(),
            content.len()
        );
    }
    lines
}

fn check(provision: &Provision<'_>, expected: Expect) {
    expected.assert_eq(&listing(&tar(provision).unwrap()));
}

#[test]
fn a_fresh_home_in_a_foreign_image_gets_all_it_needs() {
    let provision = Provision {
        user: USER,
        tables: &UserTables::default(),
        owns_workspace: true,
        fresh_home: true,
        carried: None,
        supervisor: Some(b"binary"),
    };
    check(
        &provision,
        expect![[r#"
            644 0:0 etc/passwd 74
            644 0:0 etc/group 24
            755 4321:4322 home/coder 0
            755 4321:4322 home/coder/.cache 0
            755 4321:4322 home/coder/.config 0
            755 4321:4322 home/coder/.config/claude 0
            755 4321:4322 home/coder/.local 0
            755 4321:4322 home/coder/.local/bin 0
            755 4321:4322 home/coder/.local/share 0
            755 4321:4322 home/coder/.local/share/code-server 0
            755 4321:4322 home/coder/.local/share/code-server/User 0
            755 4321:4322 workspace 0
            644 4321:4322 home/coder/.local/share/code-server/User/settings.json 303
            755 0:0 usr/local/bin/mizzen-supervisor 6
        "#]],
    );
}

#[test]
fn a_home_that_was_used_and_our_own_image_keep_theirs() {
    let tables = UserTables {
        passwd: PASSWD.to_owned(),
        group: String::new(),
    };
    let provision = Provision {
        user: USER,
        tables: &tables,
        owns_workspace: false,
        fresh_home: false,
        carried: None,
        supervisor: None,
    };
    check(
        &provision,
        expect![[r#"
            644 0:0 etc/passwd 125
            644 0:0 etc/group 24
            755 4321:4322 home/coder 0
            755 4321:4322 home/coder/.cache 0
            755 4321:4322 home/coder/.config 0
            755 4321:4322 home/coder/.config/claude 0
            755 4321:4322 home/coder/.local 0
            755 4321:4322 home/coder/.local/bin 0
            755 4321:4322 home/coder/.local/share 0
            755 4321:4322 home/coder/.local/share/code-server 0
            755 4321:4322 home/coder/.local/share/code-server/User 0
        "#]],
    );
}

#[test]
fn coder_is_the_owner_of_the_folder_and_nobody_else_is() {
    expect![[r#"
        root:x:0:0:root:/root:/bin/bash
        daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
        coder:x:4321:4322:coder:/home/coder:/bin/zsh
    "#]]
    .assert_eq(&passwd_with_coder(PASSWD, USER));
    expect![[r#"
        root:x:0:
        coder:x:4322:
    "#]]
    .assert_eq(&group_with_coder(
        "root:x:0:\ncoder:x:1000:\nstaff:x:4322:ann\n",
        USER,
    ));
}

#[test]
fn an_image_without_users_gets_root_and_coder() {
    expect![[r#"
        root:x:0:0:root:/root:/bin/sh
        coder:x:4321:4322:coder:/home/coder:/bin/sh
    "#]]
    .assert_eq(&passwd_with_coder("", USER));
    expect![[r#"
        root:x:0:
        coder:x:4322:
    "#]]
    .assert_eq(&group_with_coder("", USER));
}

#[test]
fn a_shell_that_is_no_path_is_not_taken_over() {
    let text = passwd_with_coder("root:x:0:0:root:/root:\ncoder:x:1:1::/:relative\n", USER);
    assert!(text.ends_with(":/home/coder:/bin/sh\n"), "{text}");
}

#[test]
fn where_no_files_are_shared_the_status_directory_is_made_with_what_was_carried_out() {
    let carried = Provision {
        user: USER,
        tables: &UserTables::default(),
        owns_workspace: true,
        fresh_home: false,
        carried: Some(b"{}\n".to_vec()),
        supervisor: None,
    };
    let made = listing(&tar(&carried).unwrap());
    for line in [
        "755 0:0 para 0",
        "755 4321:4322 para/status 0",
        "755 0:0 para/shared 0",
        "644 4321:4322 para/status/logs/commands.jsonl 3",
    ] {
        assert!(made.lines().any(|made| made == line), "{line}:\n{made}");
    }
}

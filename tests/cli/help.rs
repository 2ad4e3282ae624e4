//! `--help`, completions and man pages: they need no system.

use sbe_tests::{
    sbe::{Run, command},
    system::stack_file,
};

async fn without_system(arguments: &[&str]) -> String {
    let mut help = command(arguments);
    help.env_remove("SBE_STACK").current_dir(std::env::temp_dir());
    Run::from(help.output().await.expect("sbe starts")).success()
}

#[tokio::test]
async fn every_command_has_examples_that_name_it() {
    let help = without_system(&["--help"]).await;
    let commands =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // What a command is about may go on on the next line.
    let names =
        commands.filter(|line| !line.starts_with("    ")).filter_map(|line| line.split_whitespace().next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let help = without_system(&[name, "--help"]).await;
        assert!(help.contains("Examples:") && help.contains(&format!("sbe {name}")), "{help}");
    }
}

#[tokio::test]
async fn the_help_lists_the_exit_codes() {
    let help = without_system(&["--help"]).await;
    for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "6 ", "7 ", "130"] {
        assert!(help.contains(&format!("\n  {code}")), "{code}: {help}");
    }
}

#[tokio::test]
async fn completions_are_there_for_the_usual_shells() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(without_system(&["completions", shell]).await.contains("mark-read"), "{shell}");
    }
}

#[tokio::test]
async fn there_is_a_man_page_for_each_command() {
    assert!(without_system(&["man"]).await.contains(".TH sbe 1"));
    let dir = stack_file().with_file_name("man");
    without_system(&["man", "--dir", dir.to_str().unwrap()]).await;
    let listen = std::fs::read_to_string(dir.join("sbe-listen.1")).unwrap();
    assert!(listen.contains("tab\\-1") || listen.contains("tab-1"), "{listen}");
}

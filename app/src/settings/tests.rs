use super::*;

#[test]
fn options_win_over_settings_and_settings_over_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    let load = || Settings::load(Some(folder.path()));
    let none = Settings {
        file: File::in_folder(Some(folder.path())),
        ..Settings::default()
    };
    assert_eq!(load().ok(), Some(none));

    let text = r#"{"name": "Ann", "admit": "code", "encoder": "rav1e", "interfaces": ["wg0"]}"#;
    std::fs::write(folder.path().join("settings.json"), text).expect("written");
    let mut options = Options {
        name: Some("Bea".into()),
        ..Options::default()
    };
    load().expect("settings").complete(&mut options);
    assert_eq!(options.name.as_deref(), Some("Bea"));
    assert_eq!(options.admit, Some(AdmitRule::Code));
    assert_eq!(options.encoder, Some(EncoderKind::Rav1e));
    assert_eq!(options.approve, None);
    assert_eq!(options.interface, ["wg0"]);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for text in [
        "{",
        r#"{"name": 7}"#,
        "[]",
        r#"{"admit": "ask", "admit": "code"}"#,
        r#"{"admit": "all"}"#,
        r#"{"encoder": "x264"}"#,
        r#"{"uplink": 5}"#,
        r#"{"camera": "nowhere"}"#,
        r#"{"window": {"theme": "pink"}}"#,
    ] {
        std::fs::write(folder.path().join("settings.json"), text).expect("written");
        let error = Settings::load(Some(folder.path()))
            .expect_err("no settings")
            .to_string();
        assert!(error.contains("settings.json"), "{error}");
    }
}

#[test]
fn what_was_chosen_in_the_window_is_there_again_next_time_and_can_be_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("new");
    let mut settings = Settings::load(Some(&inside)).expect("none yet");
    let mut model = Model::default();
    settings.show(&mut model);
    model.wanted.name = " Ann ".into();
    model.wanted.rule = Rule::Ask;
    model.wanted.microphone = Choice::Named("Headset: left".into());
    model.wanted.camera = Choice::Test;
    model.preferences.language = Some("de".into());
    model.preferences.text_size = 1.3;
    let sending = Sending {
        uplink: Some(2_000),
        constant_rate: true,
    };
    model.preferences.sending = sending;
    settings.take(&model);
    assert_eq!(
        (settings.uplink, settings.constant_rate),
        (None, false),
        "what the command line says is shown, not kept"
    );
    settings.take_sending(sending);
    settings.store().expect("written");

    let mut read = Settings::load(Some(&inside)).expect("settings");
    assert_eq!(read, settings);
    let mut again = Model::default();
    read.show(&mut again);
    assert_eq!(again.wanted.name, "Ann");
    assert_eq!(again.wanted.microphone, Choice::Named("Headset: left".into()));
    assert_eq!(
        again.wanted.camera,
        Choice::Default,
        "what is made up is not kept"
    );
    assert_eq!(
        (again.wanted.rule, again.preferences),
        (Rule::Ask, model.preferences)
    );
    let mut options = Options::default();
    read.complete(&mut options);
    assert_eq!((options.uplink, options.constant_rate), (Some(2_000), true));
    read.forget();
    read.remove().expect("removed");
    read.remove().expect("nothing to remove");
    assert_eq!(read, Settings::load(Some(&inside)).expect("none"));
    assert_eq!(std::fs::read_dir(&inside).expect("a folder").count(), 0);
}

#[cfg(unix)]
#[test]
fn settings_are_for_this_user_alone_and_replaced_whole() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("new");
    let mode = |path: &Path| {
        let found = std::fs::metadata(path).expect("it is there").permissions().mode();
        found & 0o777
    };
    let mut settings = Settings::load(Some(&folder)).expect("none yet");
    settings.name = Some("Ann".into());
    settings.store().expect("written");
    let path = folder.join("settings.json");
    assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));

    // What others may read, and a link that leads elsewhere, give way as they are.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
    settings.store().expect("written");
    assert_eq!(mode(&path), 0o600);
    let victim = outer.path().join("victim");
    std::fs::write(&victim, "mine").expect("written");
    std::fs::remove_file(&path).expect("removed");
    symlink(&victim, &path).expect("a link");
    settings.store().expect("written");
    assert_eq!(std::fs::read_to_string(&victim).expect("a file"), "mine");
    assert_eq!(Settings::load(Some(&folder)).ok(), Some(settings.clone()));

    // What cannot be put in place leaves nothing.
    std::fs::remove_file(&path).expect("removed");
    std::fs::create_dir(&path).expect("in the way");
    std::fs::write(path.join("kept"), "").expect("written");
    settings.store().expect_err("a folder is in the way");
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 1);
}

#[test]
fn settings_are_read_as_people_and_other_programs_write_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, name) in [
        ("", None),
        (" \r\n", None),
        ("\u{feff}", None),
        ("{}", None),
        ("\u{feff}{\"name\": \"Ann\"}\r\n", Some("Ann")),
        (
            "// mine\n{\"name\": \"A//n\", /* not \"name\": 7 */ }\n# end",
            Some("A//n"),
        ),
    ] {
        std::fs::write(folder.path().join("settings.json"), text).expect("written");
        let settings = Settings::load(Some(folder.path())).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(settings.name.as_deref(), name, "{text}");
    }
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).expect("text"))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn what_this_version_does_not_know_is_told_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let text =
        r#"{"nmae": "x", "window": {"theme": "dark", "colour": {"of": 1}}, "later": {}, "name": "Ann"}"#;
    std::fs::write(folder.path().join("settings.json"), text).expect("written");
    let mut settings = Settings::load(Some(folder.path())).expect("settings");
    assert_eq!(settings.unknown(), ["later", "nmae", "window.colour.of"]);
    settings.name = Some("Bea".into());
    settings.store().expect("written");
    let [(_, text)] = &*files(folder.path()) else {
        panic!("one file, which says all")
    };
    let written: serde_json::Value = serde_json::from_str(text).expect("JSON");
    assert_eq!((&written["name"], &written["nmae"]), (&"Bea".into(), &"x".into()));
    assert_eq!(written["window"]["theme"], "dark");
    assert_eq!(written["window"]["colour"]["of"], 1);
    assert_eq!(Settings::load(Some(folder.path())).ok(), Some(settings));
}

#[test]
fn what_cannot_be_written_again_is_kept_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let commented = "{\"name\": \"Ann\"} // as my sister spells it\n";
    for text in [commented, "not even JSON"] {
        std::fs::write(at("settings.json"), text).expect("written");
        let loaded = Settings::load(Some(folder.path()));
        let mut settings = loaded.unwrap_or_else(|_| Settings::in_place_of_unread(Some(folder.path())));
        for _ in 0..2 {
            settings.store().expect("written");
        }
    }
    let kept = files(folder.path());
    let names: Vec<_> = kept.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        ["settings-before-2.json", "settings-before.json", "settings.json"]
    );
    assert_eq!((&*kept[0].1, &*kept[1].1), ("not even JSON", commented));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.json");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo").success());
    let error = Settings::load(Some(folder.path())).expect_err("no settings");
    assert!(error.to_string().contains("it is no file"), "{error}");
    let mut settings = Settings::in_place_of_unread(Some(folder.path()));
    settings.store().expect("written");
    assert!(Settings::load(Some(folder.path())).is_ok());
    assert!(folder.path().join("settings-before.json").exists(), "the pipe");
}

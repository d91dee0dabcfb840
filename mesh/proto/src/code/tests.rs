use proptest::prelude::*;

use super::*;
use crate::address;

fn codes() -> impl Strategy<Value = Code> {
    let candidate = (any::<std::net::IpAddr>(), 1u16..)
        .prop_map(|(ip, port)| SocketAddr::new(ip, port))
        .prop_filter("usable", |address| address::is_usable(*address))
        .prop_map(Candidate::local);
    let candidates = prop::collection::vec(candidate, 1..=MAX_CANDIDATES);
    (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u32>(), candidates).prop_map(
        |(inviter, secret, minutes, candidates)| Code {
            inviter: PublicKey(inviter),
            secret: Secret(secret),
            expires: from_minutes(minutes),
            candidates,
        },
    )
}

fn sample() -> Code {
    Code {
        inviter: PublicKey([1; 32]),
        secret: Secret([2; 32]),
        expires: UnixTime(EPOCH + 600),
        candidates: vec![Candidate::local(SocketAddr::from(([192, 0, 2, 7], 4433)))],
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(code in codes()) {
        prop_assert_eq!(Code::parse(&code.to_string()), Ok(code));
    }

    #[test]
    fn what_people_do_to_a_code_does_not_matter(code in codes(), marks in prop::collection::vec(
        prop::sample::select(vec!["\n", " ", "-", "–", "\u{200b}", "> ", "\"", "", "", ""]), 1..40
    )) {
        let text: String = code.to_string().to_lowercase().replace('o', "0").replace('i', "1")
            .chars().zip(marks.iter().cycle())
            .map(|(letter, mark)| format!("{mark}{letter}"))
            .collect();
        prop_assert_eq!(Code::parse(&format!("“{text}”\r\n")), Ok(code));
    }

    #[test]
    fn one_wrong_letter_is_noticed(code in codes(), at in any::<prop::sample::Index>(), to in "[A-Z2-7]") {
        let letters = BASE32_NOPAD.encode(&code.to_bytes());
        let at = at.index(letters.len());
        prop_assume!(letters[at..=at] != to);
        let changed = format!("{}{to}{}", &letters[..at], &letters[at + 1..]);
        prop_assert!(Code::parse(&changed).is_err());
    }

    #[test]
    fn a_cut_code_is_called_cut(code in codes(), at in any::<prop::sample::Index>()) {
        let text = code.to_string();
        // The last letter alone holds only a bit or two of the check.
        let at = at.index(text.len() - 3) + 1;
        let error = Code::parse(&text[..at]).expect_err("a part is no code");
        prop_assert_eq!(error, ParseError::Cut);
    }

    #[test]
    fn what_is_said_of_its_end_is_what_the_code_holds_whatever_the_clock_says(
        wall in prop_oneof![0..5_000_000_000u64, any::<u64>()]
    ) {
        let code = Code { expires: Code::expiry(UnixTime(wall)), ..sample() };
        let read = Code::parse(&code.to_string()).expect("its own letters");
        prop_assert_eq!(read.expires, code.expires);
        if (EPOCH..5_000_000_000).contains(&wall) {
            let lifetime = code.expires.0 - wall;
            prop_assert!(lifetime <= 86_400 && lifetime > 86_400 - 60);
        }
    }

    #[test]
    fn a_code_is_found_whatever_stands_before_and_after_it(
        code in codes(), before in any::<String>(), after in any::<String>()
    ) {
        prop_assert_eq!(Code::parse(&format!("{before}\n{code}\n{after}")), Ok(code.clone()));
        // Twice the same is no question, another one is.
        prop_assert_eq!(Code::parse(&format!("{code}{before}\n{code}")), Ok(code.clone()));
        prop_assume!(code != sample());
        let two = format!("{before} {code} {after} {}", sample());
        prop_assert_eq!(Code::parse(&two), Err(ParseError::Several));
    }

    #[test]
    fn a_code_that_is_quoted_and_wrapped_may_go_on_until_it_is_whole(
        code in codes(), width in 1usize..100, before in prop::sample::select(vec![
            "", "> ", "> > ", "```\n", "1. ", "Here is the code: ", "Hello,\n\nhere is it:\n", "Привет, вот код: ",
        ])
    ) {
        let quote = if before.starts_with('>') { before } else { "" };
        let letters: Vec<char> = code.to_string().chars().collect();
        let lines: Vec<String> = letters.chunks(width).map(|line| line.iter().collect()).collect();
        prop_assume!(lines.len() < MAX_LINES - 5);
        let mut text = before.to_owned();
        for (at, line) in lines.iter().enumerate() {
            text.push_str(line);
            text.push('\n');
            let read = Code::parse(&text);
            if at + 1 == lines.len() {
                prop_assert_eq!(read, Ok(code.clone()));
            } else {
                prop_assert!(read.as_ref().is_err_and(ParseError::may_go_on), "{read:?}");
            }
            text.push_str(quote);
        }
    }

    #[test]
    fn any_text_gives_an_answer(text in any::<String>()) {
        let _answer = Code::parse(&text);
        let _answer = Code::is_begun(&text);
    }

    #[test]
    fn what_is_said_of_a_code_shows_nothing_of_it(
        code in codes(), at in any::<prop::sample::Index>(),
        mark in prop::sample::select(vec!["!", "é", "\u{421}", "\u{7}", "9", "A", " and ", "→"])
    ) {
        let text = code.to_string();
        let at = at.index(text.len());
        let changed = format!("{}{mark}{}", &text[..at], &text[at..]);
        if let Err(error) = Code::parse(&changed) {
            let told = error.to_string();
            let mut groups = text.split('-').filter(|group| group.len() == GROUP);
            prop_assert!(groups.all(|group| !told.contains(group)), "{told}");
        }
    }
}

#[test]
fn each_fault_has_its_own_sentence() {
    let text = sample().to_string();
    let (front, back) = text.split_at(20);
    assert_eq!(Code::parse(" \n-\"\" "), Err(ParseError::Empty));
    assert_eq!(Code::parse("hello"), Err(ParseError::Empty));
    assert_eq!(Code::parse("hello!"), Err(ParseError::Character('!')));
    assert_eq!(
        Code::parse(&format!("{front}!{back}")),
        Err(ParseError::Character('!'))
    );
    assert_eq!(Code::parse(&text[..text.len() / 2]), Err(ParseError::Cut));
    assert_eq!(
        Code::parse(&format!("1. {front}: is that all?")),
        Err(ParseError::Cut)
    );
    assert_eq!(
        Code::parse(&format!("1. {front}A{back}")),
        Err(ParseError::WrongLetter)
    );
    assert_eq!(Code::parse(&text[6..]), Err(ParseError::WrongLetter));
    assert_eq!(Code::parse(&format!("{text}{text}")), Err(ParseError::TooLong));
    assert_eq!(Code::parse(&format!("{text}-{text}")), Ok(sample()));
    assert_eq!(Code::parse(&"A".repeat(100_000)), Err(ParseError::TooLong));
    assert_eq!(Code::parse(&"\n".repeat(MAX_LINES + 1)), Err(ParseError::TooLong));

    let with_byte = |at: usize, byte: u8| {
        let mut bytes = sample().to_bytes();
        bytes[at] = byte;
        let body = bytes.len() - CHECK_LEN;
        let check = hash(&[&bytes[..body]]);
        bytes[body..].copy_from_slice(&check[..CHECK_LEN]);
        Code::parse(&BASE32_NOPAD.encode(&bytes))
    };
    assert_eq!(with_byte(0, 0x20), Err(ParseError::NewerVersion));
    assert_eq!(with_byte(0, 0x11), Err(ParseError::NewerVersion));
    assert_eq!(with_byte(FIXED_LEN - 1, 0), Err(ParseError::NoAddress));
    let multicast = with_byte(FIXED_LEN + 2, 224);
    assert_eq!(multicast, Err(ParseError::NoAddress));
    let of_a_kind_to_come = with_byte(FIXED_LEN, 200);
    assert_eq!(of_a_kind_to_come, Err(ParseError::NewerVersion));
}

#[test]
fn a_code_serves_by_whatever_of_its_addresses_can_be_called() {
    let good = sample().candidates[0];
    let nobodys = Candidate::local(SocketAddr::from(([224, 0, 0, 1], 4433)));
    let code = Code {
        candidates: vec![nobodys, good],
        ..sample()
    };
    assert_eq!(Code::parse(&code.to_string()), Ok(sample()));
}

#[test]
fn a_code_leaves_no_copy_of_its_secret_behind_and_does_not_print_it() {
    fn wipes_itself<T: zeroize::ZeroizeOnDrop>(_: &T) {}
    let code = sample();
    wipes_itself(&code.secret);
    let bytes = code.to_bytes();
    wipes_itself(&bytes);
    assert_eq!(bytes.capacity(), MAX_LEN, "it did not grow");
    wipes_itself(&whole_bytes(code.to_string().as_bytes()));
    // The secret is 2, 2, 2 …
    for printed in [format!("{code:?}"), format!("{code:#?}")] {
        assert!(printed.contains("Secret(…)"), "{printed}");
        assert!(!printed.replace(['\n', ' '], "").contains("2,2,2"), "{printed}");
    }
}

#[test]
fn letters_of_other_alphabets_are_named_and_wide_ones_are_read() {
    let text = sample().to_string();
    let wide = |letter: char| char::from_u32(u32::from(letter) + 0xfee0).expect("a wide one");
    assert_eq!(
        Code::parse(&text.chars().map(wide).collect::<String>()),
        Ok(sample())
    );

    let cyrillic = text.replace('C', "\u{421}");
    assert_eq!(Code::parse(&cyrillic), Err(ParseError::LookAlike('\u{421}')));
    let told = ParseError::LookAlike('\u{421}').to_string();
    assert!(told.contains("Cyrillic") && told.contains("U+0421") && told.contains("‘C’"));
    // With a fault besides, and with one that looks like nothing.
    let mistyped = text.replacen("AQCAI", "AQC\u{391}J", 1);
    assert_eq!(Code::parse(&mistyped), Err(ParseError::LookAlike('\u{391}')));
    assert_eq!(Code::parse("\u{416}"), Err(ParseError::Character('\u{416}')));
    // Words in such letters beside the code do not disturb.
    assert_eq!(Code::parse(&format!("Вот код: {text}, пока")), Ok(sample()));
}

#[test]
fn a_text_that_could_begin_a_code_with_each_word_has_its_answer() {
    let text = sample().to_string();
    let wrong = format!("{} ", text.replacen("AQCAI", "AQCAJ", 1));
    let many = wrong.repeat(MAX_TEXT / wrong.len());
    assert_eq!(Code::parse(&many), Err(ParseError::WrongLetter));
    let words = "CA ".repeat(MAX_TEXT / 3);
    assert_eq!(Code::parse(&words), Err(ParseError::WrongLetter));
}

#[test]
fn a_code_is_over_at_its_last_minute() {
    let code = sample();
    assert!(!code.is_expired(UnixTime(code.expires.0 - 1)));
    assert!(code.is_expired(code.expires));
}

use super::*;

#[test]
fn loopback_is_there_and_named() {
    let all = list(&[]);
    let localhost = IpAddr::from([127, 0, 0, 1]);
    let found = all
        .iter()
        .find(|interface| interface.address == localhost)
        .expect("loopback");
    assert_eq!(found.medium, Medium::Loopback);
    assert_eq!(
        list(std::slice::from_ref(&found.name))
            .iter()
            .filter(|one| one.name != found.name)
            .count(),
        0
    );
    assert!(list(&["none of this name".into()]).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_with_a_label_is_on_the_interface_that_the_label_begins_with() {
    assert_eq!(
        ["a0:1", "a0", "wg-7.3:home"].map(own_name),
        ["a0", "a0", "wg-7.3"]
    );
}

#[test]
fn tunnels_and_radios_are_told_by_their_names() {
    let kinds = ["wg0", "tun3", "wlan0", "wwan0", "eth0"].map(|name| medium(name, false, false, false));
    assert_eq!(
        kinds,
        [
            Medium::Vpn,
            Medium::Vpn,
            Medium::Wifi,
            Medium::Mobile,
            Medium::Cable
        ]
    );
    assert_eq!(medium("eth1", false, false, true), Medium::Wifi);
}

#[test]
fn the_flags_of_ipv6_addresses_say_which_can_be_used() {
    let table = "20010db8000000000000000000000001 02 40 00 80     eth0\n\
                 rubbish\n\
                 20010db800000000aaaabbbbccccdddd 02 40 00 01     eth0\n\
                 fd000000000000000000000000000001 0a 40 00 c8     eth0\n";
    let read = read_flags(table);
    let at = |text: &str| text.parse::<Ipv6Addr>().expect("an address");
    let thrown_away = at("2001:db8::aaaa:bbbb:cccc:dddd");
    assert_eq!(
        read,
        [
            (at("2001:db8::1"), 2, 0x80),
            (thrown_away, 2, 0x01),
            (at("fd00::1"), 10, 0xc8)
        ]
    );
    assert_eq!(temporary(read), [IpAddr::from(thrown_away)]);
    let standings = [0x80, 0xc0, 0x44, 0xc8].map(|flags| state(true, flags));
    assert_eq!(
        standings,
        [
            AddressState::Up,
            AddressState::Tentative,
            AddressState::Up,
            AddressState::Duplicate
        ]
    );
    assert_eq!(state(false, 0xc0), AddressState::Down);
}

#[test]
fn an_address_is_found_where_it_is_and_only_on_interfaces_that_may_be_used() {
    let found = |name: &str, index, address: &str, state| Found {
        interface: Interface {
            name: name.into(),
            address: address.parse().expect("an address"),
            medium: Medium::Cable,
            index,
        },
        state,
    };
    let found = [
        found("eth0", 2, "192.0.2.1", AddressState::Down),
        found("eth1", 3, "192.0.2.1", AddressState::Up),
        found("eth0", 2, "fe80::1", AddressState::Tentative),
        found("eth1", 3, "fe80::1", AddressState::Up),
    ];
    let state = |text: &str, only: &[&str]| {
        let only: Vec<_> = only.iter().map(|name| (*name).to_owned()).collect();
        state_of(&text.parse().expect("an address"), &found, &only)
    };
    assert_eq!(
        state("192.0.2.1:1", &[]),
        Some(AddressState::Up),
        "wherever it can be"
    );
    assert_eq!(state("192.0.2.1:1", &["eth0"]), Some(AddressState::Down));
    assert_eq!(state("192.0.2.1:1", &["eth2"]), None);
    assert_eq!(state("[fe80::1%2]:1", &[]), Some(AddressState::Tentative));
    assert_eq!(state("192.0.2.2:1", &[]), None);
    assert_eq!(state("127.5.5.5:1", &[]), Some(AddressState::Up));
}

#[test]
fn however_many_addresses_come_and_go_the_list_is_read_once_for_all_of_them() {
    let now = Instant::now();
    let mut looks = Looks::begin(now);
    assert_eq!(looks.due(), now + LOOK);
    for _ in 0..700 {
        looks.has_news = true;
        assert_eq!(looks.due(), now + GATHER);
    }
}

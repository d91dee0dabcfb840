# Numbers and units
decimal-mark = .
rate-kilobits = { $value } kbit/s
rate-megabits = { $value } Mbit/s
kilobytes = { $value } kB
megabytes = { $value } MB
milliseconds = { $value } ms
minutes = { $count ->
    [one] 1 minute
   *[other] { $count } minutes
}
hours = { $count ->
    [one] 1 hour
   *[other] { $count } hours
}

# Everywhere
back = Back
close = Close
close-panel = Close this panel
dismiss = Dismiss
somebody = somebody without a name
you = You
name = Your name
name-hint = Shown to the others
volume = Volume
muted = muted
speaks = speaks
help = Keys

# Home
home-tagline = Private group calls that need nobody else: no server, no account.
home-start = Start a call
home-start-hint = You get a code. Give it to one person, by a channel that you trust.
home-start-button = Start a call…
home-join = Join a call
home-join-hint = Paste the code that you were given. Upper and lower case, spaces and line breaks do not matter.
home-code-field = Code
home-code-good = This code can be used for another { $span }.
home-code-over = By your clock, which says { $clock }, this code is over. Who made it knows better: if your clock is wrong, it may still let you in.
home-join-button = Join…
home-scan = Scan with the camera
home-scan-stop = Stop scanning
home-scanning = Hold the picture of the code in front of the camera.
home-drop-hint = Or drop a picture of a code here (PNG or JPEG).
home-nothing-connected = Nothing is connected: no network socket is open until you start or join a call.
home-last = Last time: { $name }, microphone: { $microphone }, loudspeaker: { $speaker }

# Before a call
before-start = Before you start
before-join = Before you join
before-start-button = Start the call
before-join-button = Join the call
before-contacts = What this code contacts
before-contacts-hint = Joining sends packets to these addresses, and to no other. Whoever gave you the code chose them. The code can be used for another { $span }.
before-contacts-over = Joining sends packets to these addresses, and to no other. Whoever gave you the code chose them. By your clock, which says { $clock }, the code is over; if your clock is wrong, it may still let you in.
before-share = Which of your addresses the others may know
before-no-address = This machine has no network address. Connect it to a network first.
before-no-address-on = Only { $interfaces } may be used, as the settings say, and it is not there or has no address. Connect it, or change the settings.
before-tell-medium = Tell the others what I am connected over (cable, Wi-Fi, mobile network, VPN)
before-rules = What may happen unasked
before-admit-by-code = Let in whoever has one of my codes, without asking me
before-who = Who can see what
before-who-start = Only those whom you or another member lets in hear and see you; each of them learns the addresses ticked above. Whoever watches a network on the way sees which addresses talk, when and how much, but not what.
before-who-join = Everybody in the call hears and sees you, and learns the addresses ticked above; whoever gave you the code can let in others. Whoever watches a network on the way sees which addresses talk, when and how much, but not what.
before-missing-name = Type a name first.
before-missing-address = Tick at least one address: without one nobody can reach you.
reach-machine = reachable from this machine only
reach-network = reachable from this network only
reach-public-4 = public IPv4 address
reach-public-6 = public IPv6 address
reach-warn-home = This address identifies the home’s or employer’s network that you are in; the others can look up to whom it belongs.
reach-warn-machine = This address identifies this very machine for as long as it stays in this network. A temporary address says less.

# Devices
camera = Camera
microphone = Microphone
speaker = Loudspeaker
device-off = Off
device-default = The system’s choice
device-test = Made up
preview = What your camera sees
preview-off = The camera is off
camera-on = The camera is on. Click to switch it off
camera-off = The camera is off. Click to switch it on
microphone-on = The microphone is on. Click to switch it off
microphone-off = The microphone is off. Click to switch it on
camera-missing = There is no camera. One that is plugged in is used. Click not to wait for it
microphone-missing = There is no microphone. One that is plugged in is used. Click not to wait for it
level = Microphone level
level-off = The microphone is off.
level-say-something = Say something: the bar should move.
level-heard = Your microphone hears you.
speaker-test = Play a tone

# Rules
rule = Where sound and picture may go unasked
rule-ask = Nowhere: always ask
rule-listed = To addresses in the code and those that members share; ask about any change
rule-same = As before, and what I approved once may come back
rule-all = To any address at which a member proves who they are
rule-none = Nowhere, and do not ask

# Joining, and the end
joining = Waiting to be let in…
joining-hint = These addresses are being contacted, and no other:
joining-give-up = Give up
ended = The call is over
ended-otherwise = The call did not go on
ended-home = Back to the start

# Call
alone = Nobody else is here yet. Give somebody a code: press I.
bar-addresses = { $count ->
    [0] Sound and picture go nowhere
    [one] Sound and picture go to 1 address
   *[other] Sound and picture go to { $count } addresses
}
bar-nothing = You send neither sound nor picture
you-muted = You are muted. Click to be heard
you-unmuted = You can be heard. Click to mute
you-are-muted = You are speaking, but you are muted. Press M, or hold the space bar, to be heard.
layout-grid = Show everybody at one size
layout-stage = Show whoever speaks large
own-tile = Your own picture, as in a mirror
own-tile-off = Your own picture: the camera is off
leave-button = Leave the call
leave-question = Leave the call?
leave-hint = The others stay connected with each other. To come back you need a new code.
leave-stay = Stay
title-in-call = Sightline: in a call
title-muted = Sightline: in a call, muted
tile-they-are-asked = Waiting: they are being asked whether to connect with you
tile-your-answer = Sound and picture wait for your answer
tile-no-route = No connection yet
quality-unknown = connection not measured yet
quality-good = good connection
quality-fair = fair connection
quality-poor = poor connection
quality-nothing = nothing comes from them
cover = Everything is covered. Sound goes on.
cover-muted = You are muted.
cover-heard = You can be heard.
cover-question = Something waits for your answer.
cover-take-away = Show everything again (F9)

# Questions about routes
question-title = May your sound and picture go to { $name } by this route?
question-paused = Until you answer, sound and picture to { $name } are paused. The others are not affected.
question-not-begun = Until you answer, nothing is sent to { $name }. The others are not affected.
question-before = Before
question-now = Now
question-no-route = No route yet
question-from-here = from
question-tells-address = Your address is now { $address }. If you allow this, everybody in the call learns it.
question-behind = { $count ->
    [one] 1 more question waits.
   *[other] { $count } more questions wait.
}
whoever-gave-the-code = whoever gave you the code
answer-once = Allow
answer-once-hint = This route only. You will be asked again when something changes.
answer-rule = Allow, ask less
answer-rule-hint = This route, and from now on in this call: { $rule }
answer-no = Do not allow
answer-no-hint = Nothing goes to this address for the rest of the call.
knock-title = { $name } wants to come in
knock-from = They came with one of your codes, from { $address }.
knock-hint = The name is what they call themselves. Let them in only if you gave them a code and expect them.
knock-admit = Let in
knock-admit-hint = { $name } hears and sees everybody, and is introduced to them.
knock-refuse = Do not let in
knock-refuse-hint = They are told that they were not let in. Their code is spent.

# Routes
routes = Routes
route-direct = direct
route-via = through { $name }
medium-unknown = unknown interface
medium-loopback = this machine only
medium-cable = cable
medium-wifi = Wi-Fi
medium-mobile = mobile network
medium-vpn = VPN
state-proposed = Nothing goes there: it is not approved
state-approved = Approved, nothing flows yet
state-active = Sound and picture flow
state-paused = Sound and picture are paused
state-closed = Closed
state-they-are-asked = Waiting for the other side’s consent
state-they-denied = Nothing flows: the other side did not agree
state-they-withhold = Nothing flows: the other side’s rule allows nothing
reason-again = It is the same route as before an interruption
reason-too_many = There were too many different routes to ask you about each
reason-first = It is the first route to them
reason-remote_address = The other side’s address has changed
reason-remote_port = The port of the other side’s address is another
reason-local_address = Your own address is another
reason-local_interface = Your own network interface is another
reason-kind = Direct instead of through a member, or the reverse
reason-carrier = Another member would carry the packets
reason-far_interface = The other side’s network has changed
reason-rule = Your rule allows it
reason-agreed = You agreed
reason-denied = You said no
reason-ready = Both sides are ready
reason-they_are_asked = The other side is being asked
reason-they_denied = The other side, or its rule, said no
reason-they_agreed = The other side agrees
reason-replaced = Another route replaced it
reason-lost = Nothing comes from there any more
reason-no_answer = Nobody answered there
reason-interface_gone = Your own address or network interface is gone
reason-left = The call with this member is over
approval-code = it stands in the code that you accepted
approval-shared = the member shares this address
approval-unchanged = it has not changed
approval-new_port = the same address, with a NEW PORT
approval-before = you had approved it before
approval-all = your rule allows every address
approval-user = you
routes-addresses = Addresses
routes-addresses-hint = Every address that takes part, as counted at this machine’s socket.
routes-none = None yet.
routes-stranger = A stranger
routes-others = Others, together
routes-graph = Rate of the last minute, { $name }
routes-rates = ⬆ { $out }  ⬇ { $in }
routes-totals = In all: ⬆ { $out }  ⬇ { $in }
routes-refused = { $count ->
    [one] 1 packet refused
   *[other] { $count } packets refused
}
routes-times = First { $first } ago, last { $last } ago
routes-history = What happened
routes-earlier = { $count ->
    [one] 1 earlier step is not kept.
   *[other] { $count } earlier steps are not kept one by one.
}
routes-approved-by = Approved: { $approval }
routes-save = Save
routes-save-hint = All addresses and every step, to a new file: .html to read, .json for programs.
routes-save-button = Save to this file

# People
people = People
people-you = { $name } (you)
people-nobody = Nobody else is here yet.
people-invited-by = Let in by: { $name }
people-cannot-hear = { $name } cannot hear: { $whom }

# Invite
invite = Invite
invite-hint = Each code lets in one person, once. Give it by a channel that you trust: whoever has it can use it.
invite-none = No code is open.
invite-new = Make another code
invite-qr = The code as a picture
invite-code = The code
invite-expires = Works once, for another { $span }.
invite-copy = Copy
invite-copied = Copied
invite-withdraw = Withdraw
invite-withdraw-all = Withdraw all that are open
invite-list = Codes so far
invite-number = Code { $number }
fate-open = can be used
fate-used = used by { $name }
fate-withdrawn = withdrawn
fate-expired = expired

# Settings
settings = Settings
settings-look = Look
settings-language = Language
settings-theme = Colours
theme-system = As the system
theme-light = Light
theme-dark = Dark
settings-contrast = High contrast
settings-size = Size of texts
settings-sound = Sound
settings-echo = Take out the echo of the loudspeaker
settings-noise = Lower background noise
settings-gain = Keep my voice at the same level
settings-sending = Sending
settings-uplink = Send at most
settings-uplink-any = as much as can be carried
settings-uplink-hint = Where that is too little for pictures, sound alone is sent.
settings-constant = Pictures always at the same rate (hides whether something moves)
settings-kept = What is kept
settings-kept-hint = Your name, devices, rules and this page, in { $path }. Nothing of any call.
settings-forget = Forget all of it
settings-devices = Devices

# Diagnostics
diagnostics = Diagnostics
diagnostics-local = Listening on
diagnostics-events = Events, the newest first
stat-round-trip = Round trip
stat-loss = Packets lost
stat-sending = To them
stat-receiving = From them
stat-sound-delay = Delay of sound
stat-picture-delay = Delay of picture
stat-pictures = Pictures a second
stat-freezes = Freezes
stat-concealed = Sound made up, frames

# Keys
key-mute = Mute, or be heard
key-camera = Camera on or off
key-people = People
key-routes = Routes
key-invite = Invite
key-diagnostics = Diagnostics
key-settings = Settings
key-layout = One size for all, or the speaker large
key-leave = Leave the call
key-cover = Cover everything; sound goes on
key-yes = Answer a question: allow, let in
key-yes-rule = Answer a question: allow, and ask less
key-no = Answer a question: no
key-help-open = Which keys there are
key-help = This list
key-close = Close what is open
key-space = Space, held
key-talk = Be heard for as long as it is held
key-quit = Close the window

# Why nothing could be sent, or nothing came of it: what follows a colon
cause-unfinished = packets came back, but no connection came about. The line is too slow or loses too much, or another program has the address now. Try again, or use another network.
cause-no_pair = none of your addresses is of a kind that reaches theirs (IPv4 and IPv6, say, or one that leads no further than its own machine or link). Nothing was sent. Share an address of the same kind, or ask them to.
cause-not_up = your address is not there. Its network interface is down, or has only just come up. Nothing was sent. Connect the network, and try again.
cause-own_addresses = this machine has all of their addresses itself (containers and virtual machines have the same ones everywhere), so they lead to its own programs. Nothing was sent. Ask them to share another address.
cause-firewall = your own system let no packet out. A firewall or a rule on this machine forbids it. Allow this program to send UDP, and try again.
cause-too_large = your own system let no packet out. The network of your address takes none of 1200 bytes, which QUIC needs. Use another network, or raise its MTU to 1280.
cause-no_route = your own system knows no route from your address to theirs. Nothing was sent. Connect a network that leads there, or share an address of it.
cause-not_sent = your own system let no packet out. Use another address or another network.

# What has to be said: what happened, what it means, what to do
say-joined = { $name } is here.
say-left = { $name } left.
say-lost = { $name } is gone: nobody can reach them any more. If they come back, they take their old place.
say-cut_off = { $name } is cut off from here: your own system lets nothing out to them. If that changes and they are still there, they take their old place.
say-saved = Every address and every step was written to { $detail }.
say-save = The record was not written: { $detail } Choose another file.
say-settings = Your settings could not be kept: { $detail } They hold until you close the window.
say-settings_unread = Your settings could not be read, so none are used: { $detail }
say-settings_unknown = Your settings name { $detail }, which this version does not know. It has no effect and stays in the file.
say-start = The call could not begin: { $detail }
say-clip_rate = The clip { $detail } does not say how many pictures a second it has. It is shown at 30.
say-camera = The camera gives no picture: { $detail } The others do not see you. Choose another one in the settings.
say-microphone = The microphone gives no sound: { $detail } The others do not hear you. Choose another one in the settings.
say-speaker = The loudspeaker takes no sound: { $detail } You hear nobody. Choose another one in the settings.
say-encoder = Your picture could not be encoded, so the others do not see you: { $detail } Switch the camera off and on again.
say-recording = A recording has stopped: { $detail }
say-recording_renamed = There is a recording of this name already. It stays, and the new one is written to { $detail }.
say-playout = { $detail } Leave and join again if it stays so.
say-undecodable = The picture of { $name } could not be decoded. It comes back with the next whole one.
say-picture_too_costly = The pictures of { $name } take more of this machine than pictures should. They are not shown for a while, then tried again.
say-small_packets_only = Large packets do not get through to { $name }: something on the way loses them without a word. Pictures are sent to them in small ones, and in large ones again once they pass.
say-gave_way_rate = Your machine cannot keep up with the call: the frame rate was halved to keep the sound going. It recovers by itself.
say-gave_way_size = Your machine cannot keep up with the call: pictures were made smaller to keep the sound going. It recovers by itself.
say-gave_way_others = Your machine cannot keep up with the call: only who speaks is shown, to keep the sound going. It recovers by itself.
say-gave_way_pictures = Your machine cannot keep up with the call: all video was switched off to keep the sound going. It recovers by itself.
say-load_back = Your machine keeps up again: everything is back.
say-camera_moved = The camera in use is gone. Now in use: { $detail }.
say-microphone_moved = The microphone in use is gone. Now in use: { $detail }.
say-speaker_moved = The loudspeaker in use is gone. Now in use: { $detail }.
say-camera_gone = The camera is gone, and there is no other. The others do not see you. Plug one in, and it is used.
say-microphone_gone = The microphone is gone, and there is no other. The others do not hear you. Plug one in, and it is used.
say-speaker_gone = The loudspeaker is gone, and there is no other. You hear nobody. Plug one in, and it is used.
say-camera_back = The camera is back in use: { $detail }.
say-microphone_back = The microphone is back in use: { $detail }.
say-speaker_back = The loudspeaker is back in use: { $detail }.
say-code_expired = This code has expired. Ask for another one.
say-code_used = This code has been used already: each code lets one person in. Ask for another one.
say-code_withdrawn = This code has been withdrawn by the person who made it. Ask for another one.
say-code_wrong_letter = Something in this code is mistyped. Compare it with the original, or have it sent again.
say-code_cut = This code is cut off: its end is missing. Copy all of it.
say-code_newer_version = This code was made by a newer version of Sightline. Update this one to use it.
say-code_empty = There is no code here.
say-code_character = Something here does not belong in a code: a code has only the letters A to Z and the digits 2 to 7. Copy only the code.
say-code_look_alike = A letter of another alphabet ({ $detail }) stands in this code and only looks like one of ours. Ask for the code as it was made.
say-code_too_long = There is more text after the code. Copy only the code itself.
say-code_several = There are two different codes here. Keep only the one that you mean.
say-code_no_address = This code holds no address that can be called. Ask for another one.
say-picture_bad = This file is no picture that can be read: { $detail } Use a PNG or JPEG of the code.
say-picture_empty = There is no code in this picture. Take it again, straight from the front and with all four edges.
say-ended = You left the call.
say-unreachable = Nobody answered at the addresses in the code. Is the person who gave it to you still in the call, and can your networks reach each other? A firewall on their machine, or a router on the way, may keep your packets out: it has to let UDP in at the port that the code names.
say-unreachable_over = Nobody answered at the addresses in the code. By your clock, which says { $detail }, the code is over: ask for another one, or set your clock if it is wrong. Is the person who gave it to you still in the call, and can your networks reach each other?
say-unfinished = Nobody could be reached: { cause-unfinished }
say-no_pair = Nobody could be reached: { cause-no_pair }
say-not_up = Nobody could be reached: { cause-not_up }
say-own_addresses = Nobody could be reached: { cause-own_addresses }
say-firewall = Nobody could be reached: { cause-firewall }
say-too_large = Nobody could be reached: { cause-too_large }
say-no_route = Nobody could be reached: { cause-no_route }
say-not_sent = Nobody could be reached: { cause-not_sent }
say-impostor = Somebody answered at the address in the code who did not make it. Nothing was sent to them. Ask for another code, by another channel.
say-inviter_gone = The person who gave you the code went away before letting you in. Ask them for another one.
say-line_lost = The connection to the person who gave you the code was lost before they let you in. It is too slow or loses too much, or a machine or network on one side is gone. Try again; if the code is used by then, ask for another one.
say-full = The call is full.
say-declined = The person who gave you the code did not let you in.
say-refused = The other side could not make sense of this program’s request to join. Are both the same version?
say-fault = The program’s network side stopped working, so the call is over. This is a fault of the program.
say-clock_wrong = Your clock says { $detail }, which cannot be: this program is newer. Calls work all the same, but codes that you make say a wrong end, and the record of a call has wrong times. Set your clock.
say-malformed = The program of { $name } sent a message that makes no sense. The connection to it was closed.
say-flood = The program of { $name } sent too many messages. The connection to it was closed.
say-handshake = Somebody who connected could not prove to be who they should be, and was turned away.
say-keys_expired = The keys shared with { $name } could not be renewed in time. The connection was closed, and is made anew if they are still there.
say-dropped = Packets from the program of { $name } made no sense and were dropped.
say-roster = The program of { $name } passed on a list of people that does not hold together. Ask the others who is here.
say-not_approved = Your rule for addresses does not allow a connection to { $name }. To change that, choose another rule under Routes.
say-member_unreachable = { $name } does not answer at the addresses that they share. A firewall on their machine, or a router on the way, may keep your packets out. The others may be connected with them.
say-member_unfinished = { $name } cannot be reached from here: { cause-unfinished }
say-member_no_pair = { $name } cannot be reached from here: { cause-no_pair }
say-member_not_up = { $name } cannot be reached from here: { cause-not_up }
say-member_own_addresses = { $name } cannot be reached from here: { cause-own_addresses }
say-member_firewall = { $name } cannot be reached from here: { cause-firewall }
say-member_too_large = { $name } cannot be reached from here: { cause-too_large }
say-member_no_route = { $name } cannot be reached from here: { cause-no_route }
say-member_not_sent = { $name } cannot be reached from here: { cause-not_sent }
say-member_sought = { $name } has not been reached for half a minute. This program goes on looking, every few seconds, until they are back or say that they leave. If it takes long, ask them by another channel whether they are still in the call.
say-too_many_codes = No further code can be made: sixteen are still open. Withdraw some first.
say-interface_gone = A network address that this call uses is gone. What went from there is paused, and nothing goes out from another one unasked.
say-not_pinned = A network address cannot be used: its network interface cannot be made the only one that is used for it, and nothing may leave by another. Use another address or another network.
say-too_many_questions = { $name } came by so many different routes that you are not asked about more of them for now. They were turned away.
say-stalled = The program of { $name } stopped reading. The connection to it was closed.
say-not_in_call = A code can be made only in a call.
say-no_address_yet = No code can be made yet: none of the addresses that you share is there, because its network interface is down or has only just come up. The code is made as soon as one is.
say-port_taken = A port that this call listened on is in use by another program now, so it listens on another one. Codes that you gave out before lead to the old port: they work again when it is free, which is tried every few seconds. Until then, give a new code.

# Zahlen und Einheiten
decimal-mark = ,
rate-kilobits = { $value } kbit/s
rate-megabits = { $value } Mbit/s
kilobytes = { $value } kB
megabytes = { $value } MB
milliseconds = { $value } ms
minutes = { $count ->
    [one] 1 Minute
   *[other] { $count } Minuten
}
hours = { $count ->
    [one] 1 Stunde
   *[other] { $count } Stunden
}

# Überall
back = Zurück
close = Schließen
close-panel = Diesen Bereich schließen
dismiss = Ausblenden
somebody = jemand ohne Namen
you = Sie
name = Ihr Name
name-hint = Wird den anderen angezeigt
volume = Lautstärke
muted = stummgeschaltet
speaks = spricht
help = Tasten

# Startseite
home-tagline = Private Gruppenanrufe, die niemand anderen brauchen: kein Server, kein Konto.
home-start = Einen Anruf starten
home-start-hint = Sie bekommen einen Code. Geben Sie ihn einer einzigen Person, über einen Kanal, dem Sie vertrauen.
home-start-button = Anruf starten …
home-join = Einem Anruf beitreten
home-join-hint = Fügen Sie den Code ein, den Sie bekommen haben. Groß- und Kleinschreibung, Leerzeichen und Zeilenumbrüche spielen keine Rolle.
home-code-field = Code
home-code-good = Dieser Code ist noch { $span } gültig.
home-code-over = Nach Ihrer Uhr, die { $clock } zeigt, ist dieser Code abgelaufen. Wer ihn erstellt hat, weiß es besser: Geht Ihre Uhr falsch, lässt er Sie vielleicht noch ein.
home-join-button = Beitreten …
home-scan = Mit der Kamera scannen
home-scan-stop = Scannen beenden
home-scanning = Halten Sie das Bild des Codes vor die Kamera.
home-drop-hint = Oder ziehen Sie ein Bild des Codes hierher (PNG oder JPEG).
home-nothing-connected = Nichts ist verbunden: Es ist kein Netzwerk-Socket offen, bis Sie einen Anruf starten oder einem beitreten.
home-last = Letztes Mal: { $name }, Mikrofon: { $microphone }, Lautsprecher: { $speaker }

# Vor einem Anruf
before-start = Bevor Sie starten
before-join = Bevor Sie beitreten
before-start-button = Anruf starten
before-join-button = Anruf beitreten
before-contacts = Wohin dieser Code Verbindung aufnimmt
before-contacts-hint = Beim Beitreten gehen Pakete an diese Adressen und an keine anderen. Ausgewählt hat sie, wer Ihnen den Code gegeben hat. Der Code ist noch { $span } gültig.
before-contacts-over = Beim Beitreten gehen Pakete an diese Adressen und an keine anderen. Ausgewählt hat sie, wer Ihnen den Code gegeben hat. Nach Ihrer Uhr, die { $clock } zeigt, ist der Code abgelaufen; geht Ihre Uhr falsch, lässt er Sie vielleicht noch ein.
before-share = Welche Ihrer Adressen die anderen erfahren dürfen
before-no-address = Dieser Computer hat keine Netzwerkadresse. Verbinden Sie ihn zuerst mit einem Netzwerk.
before-no-address-on = Laut Einstellungen darf nur { $interfaces } benutzt werden, und das ist nicht da oder hat keine Adresse. Verbinden Sie es oder ändern Sie die Einstellungen.
before-tell-medium = Den anderen mitteilen, worüber ich verbunden bin (Kabel, WLAN, Mobilfunk, VPN)
before-rules = Was ohne Rückfrage geschehen darf
before-admit-by-code = Alle, die einen meiner Codes haben, ohne Rückfrage einlassen
before-who = Wer was sehen kann
before-who-start = Nur wer von Ihnen oder einem anderen Mitglied eingelassen wird, kann Sie hören und sehen und erfährt die oben angekreuzten Adressen. Wer unterwegs ein Netzwerk beobachtet, sieht, welche Adressen miteinander sprechen, wann und wie viel, aber nicht, was.
before-who-join = Alle im Anruf hören und sehen Sie und erfahren die oben angekreuzten Adressen; wer Ihnen den Code gegeben hat, kann weitere Personen einlassen. Wer unterwegs ein Netzwerk beobachtet, sieht, welche Adressen miteinander sprechen, wann und wie viel, aber nicht, was.
before-missing-name = Geben Sie zuerst einen Namen ein.
before-missing-address = Kreuzen Sie mindestens eine Adresse an: Ohne Adresse kann Sie niemand erreichen.
reach-machine = nur von diesem Computer aus erreichbar
reach-network = nur aus diesem Netzwerk erreichbar
reach-public-4 = öffentliche IPv4-Adresse
reach-public-6 = öffentliche IPv6-Adresse
reach-warn-home = Diese Adresse verrät, in welchem Heim- oder Firmennetzwerk Sie sind; die anderen können nachschlagen, wem es gehört.
reach-warn-machine = Diese Adresse kennzeichnet genau diesen Computer, solange er in diesem Netzwerk bleibt. Eine temporäre Adresse verrät weniger.

# Geräte
camera = Kamera
microphone = Mikrofon
speaker = Lautsprecher
device-off = Aus
device-default = Systemstandard
device-test = Testsignal
preview = Was Ihre Kamera sieht
preview-off = Die Kamera ist aus
camera-on = Die Kamera ist an. Zum Ausschalten klicken
camera-off = Die Kamera ist aus. Zum Einschalten klicken
microphone-on = Das Mikrofon ist an. Zum Ausschalten klicken
microphone-off = Das Mikrofon ist aus. Zum Einschalten klicken
camera-missing = Es gibt keine Kamera. Sobald eine eingesteckt wird, wird sie benutzt. Klicken Sie, um nicht darauf zu warten
microphone-missing = Es gibt kein Mikrofon. Sobald eines eingesteckt wird, wird es benutzt. Klicken Sie, um nicht darauf zu warten
level = Mikrofonpegel
level-off = Das Mikrofon ist aus.
level-say-something = Sagen Sie etwas: Der Balken sollte sich bewegen.
level-heard = Ihr Mikrofon hört Sie.
speaker-test = Testton abspielen

# Regeln
rule = Wohin Ton und Bild ohne Rückfrage gehen dürfen
rule-ask = Nirgendwohin: immer fragen
rule-listed = An Adressen im Code und von Mitgliedern geteilte; bei jeder Änderung fragen
rule-same = An Adressen im Code und geteilte; einmal Genehmigtes darf wiederkommen
rule-all = An jede Adresse, an der sich ein Mitglied als echt ausweist
rule-none = Nirgendwohin, und nicht fragen

# Beitreten und Ende
joining = Warten, bis Sie eingelassen werden …
joining-hint = Zu diesen Adressen wird Verbindung aufgenommen, und zu keinen anderen:
joining-give-up = Aufgeben
ended = Der Anruf ist beendet
ended-otherwise = Der Anruf ging nicht weiter
ended-home = Zurück zum Anfang

# Anruf
alone = Noch ist niemand sonst hier. Geben Sie jemandem einen Code: Drücken Sie I.
bar-addresses = { $count ->
    [0] Ton und Bild gehen nirgendwohin
    [one] Ton und Bild gehen an 1 Adresse
   *[other] Ton und Bild gehen an { $count } Adressen
}
bar-nothing = Sie senden weder Ton noch Bild
you-muted = Sie sind stummgeschaltet. Klicken, um gehört zu werden
you-unmuted = Man kann Sie hören. Zum Stummschalten klicken
you-are-muted = Sie sprechen, sind aber stummgeschaltet. Drücken Sie M oder halten Sie die Leertaste gedrückt, um gehört zu werden.
layout-grid = Alle gleich groß zeigen
layout-stage = Wer spricht, groß zeigen
own-tile = Ihr eigenes Bild, wie im Spiegel
own-tile-off = Ihr eigenes Bild: Die Kamera ist aus
leave-button = Anruf verlassen
leave-question = Anruf verlassen?
leave-hint = Die anderen bleiben miteinander verbunden. Um zurückzukommen, brauchen Sie einen neuen Code.
leave-stay = Bleiben
title-in-call = Sightline: im Anruf
title-muted = Sightline: im Anruf, stummgeschaltet
tile-they-are-asked = Warten: Diese Person wird gefragt, ob sie sich mit Ihnen verbinden will
tile-your-answer = Ton und Bild warten auf Ihre Antwort
tile-no-route = Noch keine Verbindung
quality-unknown = Verbindung noch nicht gemessen
quality-good = gute Verbindung
quality-fair = mittelmäßige Verbindung
quality-poor = schlechte Verbindung
quality-nothing = von dort kommt nichts an
cover = Alles ist verdeckt. Der Ton läuft weiter.
cover-muted = Sie sind stummgeschaltet.
cover-heard = Sie sind zu hören.
cover-question = Etwas wartet auf Ihre Antwort.
cover-take-away = Alles wieder zeigen (F9)

# Fragen zu Wegen
question-title = Dürfen Ihr Ton und Ihr Bild auf diesem Weg an { $name } gehen?
question-paused = Bis Sie antworten, sind Ton und Bild an { $name } angehalten. Die anderen sind nicht betroffen.
question-not-begun = Bis Sie antworten, wird nichts an { $name } gesendet. Die anderen sind nicht betroffen.
question-before = Vorher
question-now = Jetzt
question-no-route = Noch kein Weg
question-from-here = von
question-tells-address = Ihre Adresse ist jetzt { $address }. Wenn Sie das erlauben, erfahren alle im Anruf diese Adresse.
question-behind = { $count ->
    [one] 1 weitere Frage wartet.
   *[other] { $count } weitere Fragen warten.
}
whoever-gave-the-code = die einladende Person
answer-once = Erlauben
answer-once-hint = Nur dieser Weg. Sie werden wieder gefragt, wenn sich etwas ändert.
answer-rule = Erlauben, weniger fragen
answer-rule-hint = Diesen Weg, und ab jetzt in diesem Anruf: { $rule }
answer-no = Nicht erlauben
answer-no-hint = Für den Rest des Anrufs geht nichts an diese Adresse.
knock-title = { $name } möchte hereinkommen
knock-from = Die Anfrage kam mit einem Ihrer Codes, von { $address }.
knock-hint = Den Namen hat die Person selbst gewählt. Lassen Sie sie nur ein, wenn Sie ihr einen Code gegeben haben und sie erwarten.
knock-admit = Einlassen
knock-admit-hint = { $name } hört und sieht alle und wird ihnen vorgestellt.
knock-refuse = Nicht einlassen
knock-refuse-hint = Die Person erfährt, dass sie nicht eingelassen wurde. Der Code ist damit verbraucht.

# Wege
routes = Wege
route-direct = direkt
route-via = über { $name }
medium-unknown = unbekannte Schnittstelle
medium-loopback = nur dieser Computer
medium-cable = Kabel
medium-wifi = WLAN
medium-mobile = Mobilfunk
medium-vpn = VPN
state-proposed = Dorthin geht nichts: Der Weg ist nicht genehmigt
state-approved = Genehmigt, noch fließt nichts
state-active = Ton und Bild fließen
state-paused = Ton und Bild sind angehalten
state-closed = Geschlossen
state-they-are-asked = Warten auf die Zustimmung der Gegenseite
state-they-denied = Nichts fließt: Die Gegenseite hat nicht zugestimmt
state-they-withhold = Nichts fließt: Die Regel der Gegenseite erlaubt nichts
reason-again = Es ist derselbe Weg wie zuvor, nach einer Unterbrechung
reason-too_many = Es waren zu viele verschiedene Wege, um Sie nach jedem einzelnen zu fragen
reason-first = Es ist der erste Weg dorthin
reason-remote_address = Die Adresse der Gegenseite hat sich geändert
reason-remote_port = Der Port in der Adresse der Gegenseite hat sich geändert
reason-local_address = Ihre eigene Adresse hat sich geändert
reason-local_interface = Ihre eigene Netzwerkschnittstelle hat sich geändert
reason-kind = Direkt statt über ein Mitglied, oder umgekehrt
reason-carrier = Ein anderes Mitglied würde die Pakete weitergeben
reason-far_interface = Das Netz der Gegenseite hat sich geändert
reason-rule = Ihre Regel erlaubt es
reason-agreed = Sie haben zugestimmt
reason-denied = Sie haben abgelehnt
reason-ready = Beide Seiten sind bereit
reason-they_are_asked = Die Gegenseite wird gefragt
reason-they_denied = Die Gegenseite oder ihre Regel hat abgelehnt
reason-they_agreed = Die Gegenseite stimmt zu
reason-replaced = Ein anderer Weg ist an seine Stelle getreten
reason-lost = Von dort kommt nichts mehr an
reason-no_answer = Dort hat niemand geantwortet
reason-interface_gone = Ihre eigene Adresse oder Netzwerkschnittstelle ist weg
reason-left = Der Anruf mit diesem Mitglied ist beendet
approval-code = die Adresse steht in dem Code, den Sie angenommen haben
approval-shared = das Mitglied teilt diese Adresse
approval-unchanged = es ist derselbe Weg wie zuvor
approval-new_port = dieselbe Adresse, mit NEUEM PORT
approval-before = Sie hatten das schon einmal genehmigt
approval-all = Ihre Regel erlaubt jede Adresse
approval-user = von Ihnen
routes-addresses = Adressen
routes-addresses-hint = Jede beteiligte Adresse, gezählt am Socket dieses Computers.
routes-none = Noch keine.
routes-stranger = Unbekannt
routes-others = Andere, zusammen
routes-graph = Datenrate der letzten Minute, { $name }
routes-rates = ⬆ { $out }  ⬇ { $in }
routes-totals = Insgesamt: ⬆ { $out }  ⬇ { $in }
routes-refused = { $count ->
    [one] 1 Paket abgewiesen
   *[other] { $count } Pakete abgewiesen
}
routes-times = Zuerst vor { $first }, zuletzt vor { $last }
routes-history = Was geschehen ist
routes-earlier = { $count ->
    [one] 1 früherer Schritt ist nicht aufbewahrt.
   *[other] { $count } frühere Schritte sind nicht einzeln aufbewahrt.
}
routes-approved-by = Genehmigt: { $approval }
routes-save = Speichern
routes-save-hint = Alle Adressen und jeder Schritt, in eine neue Datei: .html zum Lesen, .json für Programme.
routes-save-button = In dieser Datei speichern

# Personen
people = Personen
people-you = { $name } (Sie)
people-nobody = Noch ist niemand sonst hier.
people-invited-by = Eingelassen von: { $name }
people-cannot-hear = { $name } kann nicht hören: { $whom }

# Einladen
invite = Einladen
invite-hint = Jeder Code lässt eine Person ein, einmal. Geben Sie ihn über einen Kanal weiter, dem Sie vertrauen: Wer ihn hat, kann ihn verwenden.
invite-none = Kein Code ist offen.
invite-new = Weiteren Code erstellen
invite-qr = Der Code als Bild
invite-code = Der Code
invite-expires = Gilt einmal, noch { $span }.
invite-copy = Kopieren
invite-copied = Kopiert
invite-withdraw = Zurückziehen
invite-withdraw-all = Alle offenen zurückziehen
invite-list = Bisherige Codes
invite-number = Code { $number }
fate-open = kann verwendet werden
fate-used = verwendet von { $name }
fate-withdrawn = zurückgezogen
fate-expired = abgelaufen

# Einstellungen
settings = Einstellungen
settings-look = Darstellung
settings-language = Sprache
settings-theme = Farben
theme-system = Wie das System
theme-light = Hell
theme-dark = Dunkel
settings-contrast = Hoher Kontrast
settings-size = Textgröße
settings-sound = Ton
settings-echo = Echo des Lautsprechers entfernen
settings-noise = Hintergrundgeräusche dämpfen
settings-gain = Meine Stimme gleich laut halten
settings-sending = Senden
settings-uplink = Höchstens senden
settings-uplink-any = so viel, wie möglich ist
settings-uplink-hint = Wo das für Bilder zu wenig ist, wird nur Ton gesendet.
settings-constant = Bilder immer gleich schnell senden (verbirgt, ob sich etwas bewegt)
settings-kept = Was gespeichert wird
settings-kept-hint = Ihr Name, Ihre Geräte, Ihre Regeln und diese Seite, in { $path }. Nichts von irgendeinem Anruf.
settings-forget = Alles vergessen
settings-devices = Geräte

# Diagnose
diagnostics = Diagnose
diagnostics-local = Empfängt auf
diagnostics-events = Ereignisse, das neueste zuerst
stat-round-trip = Hin und zurück
stat-loss = Verlorene Pakete
stat-sending = Dorthin
stat-receiving = Von dort
stat-sound-delay = Verzögerung des Tons
stat-picture-delay = Verzögerung des Bilds
stat-pictures = Bilder pro Sekunde
stat-freezes = Standbilder
stat-concealed = Ersetzter Ton, Frames

# Tasten
key-mute = Stummschalten oder wieder gehört werden
key-camera = Kamera an oder aus
key-people = Personen
key-routes = Wege
key-invite = Einladen
key-diagnostics = Diagnose
key-settings = Einstellungen
key-layout = Alle gleich groß, oder wer spricht groß
key-leave = Anruf verlassen
key-cover = Alles verdecken; der Ton läuft weiter
key-yes = Eine Frage beantworten: erlauben, einlassen
key-yes-rule = Eine Frage beantworten: erlauben und weniger fragen
key-no = Eine Frage beantworten: nein
key-help-open = Welche Tasten es gibt
key-help = Diese Liste
key-close = Schließen, was offen ist
key-space = Leertaste, gehalten
key-talk = Gehört werden, solange sie gehalten wird
key-quit = Das Fenster schließen

# Warum nichts gesendet werden konnte oder nichts daraus wurde: nach einem Doppelpunkt
cause-unfinished = Es kamen Pakete zurück, aber es kam keine Verbindung zustande. Die Leitung ist zu langsam oder verliert zu viel, oder ein anderes Programm hat die Adresse inzwischen. Versuchen Sie es noch einmal, oder verwenden Sie ein anderes Netzwerk.
cause-no_pair = Keine Ihrer Adressen ist von einer Art, die die der anderen Seite erreicht (etwa IPv4 und IPv6, oder eine, die nicht über den eigenen Rechner oder das eigene Kabel hinausführt). Es wurde nichts gesendet. Geben Sie eine Adresse derselben Art frei, oder bitten Sie die andere Seite darum.
cause-not_up = Ihre Adresse ist nicht da. Die Netzwerkschnittstelle ist aus oder kommt eben erst hoch. Es wurde nichts gesendet. Verbinden Sie das Netzwerk, und versuchen Sie es noch einmal.
cause-own_addresses = Dieser Rechner hat alle Adressen der anderen Seite selbst (Container und virtuelle Maschinen haben überall die gleichen), sodass sie zu seinen eigenen Programmen führen. Es wurde nichts gesendet. Bitten Sie darum, eine andere Adresse freizugeben.
cause-firewall = Ihr eigenes System hat kein Paket hinausgelassen. Eine Firewall oder eine Regel auf diesem Rechner verbietet es. Erlauben Sie diesem Programm, UDP zu senden, und versuchen Sie es noch einmal.
cause-too_large = Ihr eigenes System hat kein Paket hinausgelassen. Das Netzwerk Ihrer Adresse nimmt keines von 1200 Byte an, die QUIC braucht. Verwenden Sie ein anderes Netzwerk, oder erhöhen Sie dessen MTU auf 1280.
cause-no_route = Ihr eigenes System kennt keinen Weg von Ihrer Adresse zu denen der anderen Seite. Es wurde nichts gesendet. Verbinden Sie ein Netzwerk, das dorthin führt, oder geben Sie eine Adresse daraus frei.
cause-not_sent = Ihr eigenes System hat kein Paket hinausgelassen. Verwenden Sie eine andere Adresse oder ein anderes Netzwerk.

# Was gesagt werden muss: was geschehen ist, was es bedeutet, was zu tun ist
say-joined = { $name } ist da.
say-left = { $name } hat den Anruf verlassen.
say-lost = { $name } ist weg: Niemand kann diese Person mehr erreichen. Kommt sie zurück, nimmt sie ihren alten Platz wieder ein.
say-cut_off = { $name } ist von hier abgeschnitten: Ihr eigenes System lässt nichts mehr dorthin hinaus. Ändert sich das und ist die Person noch da, nimmt sie ihren alten Platz wieder ein.
say-saved = Jede Adresse und jeder Schritt wurden gespeichert in { $detail }.
say-save = Die Aufzeichnung wurde nicht gespeichert: { $detail } Wählen Sie eine andere Datei.
say-settings = Ihre Einstellungen konnten nicht gespeichert werden: { $detail } Die Änderungen gelten, bis Sie das Fenster schließen.
say-settings_unread = Ihre Einstellungen konnten nicht gelesen werden, deshalb werden keine verwendet: { $detail }
say-settings_unknown = In Ihren Einstellungen steht { $detail }, was diese Version nicht kennt. Es hat keine Wirkung und bleibt in der Datei.
say-start = Der Anruf konnte nicht beginnen: { $detail }
say-clip_rate = Der Clip { $detail } sagt nicht, wie viele Bilder er in der Sekunde hat. Er wird mit 30 gezeigt.
say-camera = Die Kamera liefert kein Bild: { $detail } Die anderen sehen Sie nicht. Wählen Sie in den Einstellungen eine andere.
say-microphone = Das Mikrofon liefert keinen Ton: { $detail } Die anderen hören Sie nicht. Wählen Sie in den Einstellungen ein anderes.
say-speaker = Der Lautsprecher nimmt keinen Ton an: { $detail } Sie hören niemanden. Wählen Sie in den Einstellungen einen anderen.
say-encoder = Ihr Bild konnte nicht kodiert werden, deshalb sehen die anderen Sie nicht: { $detail } Schalten Sie die Kamera aus und wieder ein.
say-recording = Eine Aufnahme wurde beendet: { $detail }
say-recording_renamed = Eine Aufnahme dieses Namens gibt es schon. Sie bleibt, und die neue wird gespeichert in { $detail }.
say-playout = { $detail } Wenn das so bleibt, verlassen Sie den Anruf und treten Sie erneut bei.
say-undecodable = Das Bild von { $name } konnte nicht dekodiert werden. Mit dem nächsten vollständigen Bild kommt es zurück.
say-picture_too_costly = Die Bilder von { $name } beanspruchen diesen Rechner mehr, als Bilder es sollten. Sie werden eine Weile nicht gezeigt, dann wird es wieder versucht.
say-small_packets_only = Große Pakete kommen nicht bis zu { $name } durch: Etwas auf dem Weg verliert sie, ohne es zu melden. Bilder werden dorthin in kleinen gesendet, und wieder in großen, sobald sie durchkommen.
say-gave_way_rate = Ihr Rechner kommt mit dem Gespräch nicht mit: Die Bildrate wurde halbiert, damit der Ton weiterläuft. Das gibt sich von selbst.
say-gave_way_size = Ihr Rechner kommt mit dem Gespräch nicht mit: Die Bilder wurden verkleinert, damit der Ton weiterläuft. Das gibt sich von selbst.
say-gave_way_others = Ihr Rechner kommt mit dem Gespräch nicht mit: Nur wer spricht, ist zu sehen, damit der Ton weiterläuft. Das gibt sich von selbst.
say-gave_way_pictures = Ihr Rechner kommt mit dem Gespräch nicht mit: Alle Bilder wurden abgeschaltet, damit der Ton weiterläuft. Das gibt sich von selbst.
say-load_back = Ihr Rechner kommt wieder mit: alles ist zurück.
say-camera_moved = Die verwendete Kamera ist weg. Jetzt in Gebrauch: { $detail }.
say-microphone_moved = Das verwendete Mikrofon ist weg. Jetzt in Gebrauch: { $detail }.
say-speaker_moved = Der verwendete Lautsprecher ist weg. Jetzt in Gebrauch: { $detail }.
say-camera_gone = Die Kamera ist weg, und es gibt keine andere. Die anderen sehen Sie nicht. Schließen Sie eine an, dann wird sie verwendet.
say-microphone_gone = Das Mikrofon ist weg, und es gibt kein anderes. Die anderen hören Sie nicht. Schließen Sie eines an, dann wird es verwendet.
say-speaker_gone = Der Lautsprecher ist weg, und es gibt keinen anderen. Sie hören niemanden. Schließen Sie einen an, dann wird er verwendet.
say-camera_back = Die Kamera ist wieder in Gebrauch: { $detail }.
say-microphone_back = Das Mikrofon ist wieder in Gebrauch: { $detail }.
say-speaker_back = Der Lautsprecher ist wieder in Gebrauch: { $detail }.
say-code_expired = Dieser Code ist abgelaufen. Bitten Sie um einen anderen.
say-code_used = Dieser Code wurde schon verwendet: Jeder Code lässt eine Person ein. Bitten Sie um einen anderen.
say-code_withdrawn = Dieser Code wurde von der Person zurückgezogen, die ihn erstellt hat. Bitten Sie um einen anderen.
say-code_wrong_letter = In diesem Code ist etwas vertippt. Vergleichen Sie ihn mit dem Original oder lassen Sie ihn sich noch einmal schicken.
say-code_cut = Dieser Code ist abgeschnitten: Das Ende fehlt. Kopieren Sie ihn ganz.
say-code_newer_version = Dieser Code stammt von einer neueren Version von Sightline. Aktualisieren Sie diese hier, um ihn zu verwenden.
say-code_empty = Hier ist kein Code.
say-code_character = Etwas hier gehört nicht in einen Code: Ein Code besteht nur aus den Buchstaben A bis Z und den Ziffern 2 bis 7. Kopieren Sie nur den Code.
say-code_look_alike = In diesem Code steht ein Buchstabe eines anderen Alphabets ({ $detail }), der nur so aussieht wie einer von unseren. Bitten Sie um den Code, wie er erstellt wurde.
say-code_too_long = Nach dem Code folgt noch weiterer Text. Kopieren Sie nur den Code selbst.
say-code_several = Hier sind zwei verschiedene Codes. Behalten Sie nur den, den Sie meinen.
say-code_no_address = Dieser Code enthält keine Adresse, die angerufen werden kann. Bitten Sie um einen anderen.
say-picture_bad = Diese Datei ist kein lesbares Bild: { $detail } Verwenden Sie ein PNG oder JPEG des Codes.
say-picture_empty = In diesem Bild ist kein Code. Nehmen Sie es noch einmal auf, gerade von vorn und mit allen vier Rändern.
say-ended = Sie haben den Anruf verlassen.
say-unreachable = Unter den Adressen im Code hat niemand geantwortet. Ist die Person, die Ihnen den Code gegeben hat, noch im Anruf, und können Ihre Netzwerke einander erreichen? Vielleicht hält eine Firewall auf ihrem Rechner oder ein Router auf dem Weg Ihre Pakete ab: UDP muss an dem Port, den der Code nennt, hereinkommen dürfen.
say-unreachable_over = Unter den Adressen im Code hat niemand geantwortet. Nach Ihrer Uhr, die { $detail } zeigt, ist der Code abgelaufen: Bitten Sie um einen anderen, oder stellen Sie Ihre Uhr, falls sie falsch geht. Ist die Person, die Ihnen den Code gegeben hat, noch im Anruf, und können Ihre Netzwerke einander erreichen?
say-unfinished = Niemand war zu erreichen: { cause-unfinished }
say-no_pair = Niemand war zu erreichen: { cause-no_pair }
say-not_up = Niemand war zu erreichen: { cause-not_up }
say-own_addresses = Niemand war zu erreichen: { cause-own_addresses }
say-firewall = Niemand war zu erreichen: { cause-firewall }
say-too_large = Niemand war zu erreichen: { cause-too_large }
say-no_route = Niemand war zu erreichen: { cause-no_route }
say-not_sent = Niemand war zu erreichen: { cause-not_sent }
say-impostor = Unter der Adresse im Code hat jemand geantwortet, von dem der Code nicht stammt. Dorthin wurde nichts gesendet. Bitten Sie um einen anderen Code, über einen anderen Kanal.
say-inviter_gone = Die Person, die Ihnen den Code gegeben hat, ist gegangen, bevor sie Sie einlassen konnte. Bitten Sie sie um einen anderen.
say-line_lost = Die Verbindung zu der Person, die Ihnen den Code gegeben hat, brach ab, bevor sie Sie einlassen konnte. Die Leitung ist zu langsam oder verliert zu viel, oder auf einer Seite ist der Rechner oder das Netzwerk weg. Versuchen Sie es noch einmal; ist der Code dann verbraucht, bitten Sie um einen anderen.
say-full = Der Anruf ist voll.
say-declined = Die Person, die Ihnen den Code gegeben hat, hat Sie nicht eingelassen.
say-refused = Die Gegenseite konnte mit der Beitrittsanfrage dieses Programms nichts anfangen. Haben beide dieselbe Version?
say-fault = Der Netzwerkteil des Programms ist ausgefallen, deshalb ist der Anruf beendet. Das ist ein Fehler des Programms.
say-clock_wrong = Ihre Uhr zeigt { $detail }. Das kann nicht sein: Dieses Programm ist neuer. Anrufe gelingen trotzdem, aber Codes, die Sie erstellen, nennen ein falsches Ende, und die Aufzeichnung eines Anrufs enthält falsche Zeiten. Stellen Sie Ihre Uhr.
say-malformed = Das Programm von { $name } hat eine unverständliche Nachricht gesendet. Die Verbindung dorthin wurde geschlossen.
say-flood = Das Programm von { $name } hat zu viele Nachrichten gesendet. Die Verbindung dorthin wurde geschlossen.
say-handshake = Jemand hat sich verbunden, konnte sich aber nicht als die erwartete Person ausweisen und wurde abgewiesen.
say-keys_expired = Die gemeinsamen Schlüssel mit { $name } konnten nicht rechtzeitig erneuert werden. Die Verbindung wurde geschlossen und wird neu aufgebaut, wenn die Gegenseite noch da ist.
say-dropped = Pakete vom Programm von { $name } waren unverständlich und wurden verworfen.
say-roster = Das Programm von { $name } hat eine widersprüchliche Personenliste weitergegeben. Fragen Sie die anderen, wer hier ist.
say-not_approved = Ihre Regel für Adressen erlaubt keine Verbindung zu { $name }. Um das zu ändern, wählen Sie unter „Wege“ eine andere Regel.
say-member_unreachable = { $name } antwortet nicht unter den freigegebenen Adressen. Vielleicht hält eine Firewall auf jenem Rechner oder ein Router auf dem Weg Ihre Pakete ab. Die anderen können trotzdem mit dieser Person verbunden sein.
say-member_unfinished = { $name } ist von hier aus nicht zu erreichen: { cause-unfinished }
say-member_no_pair = { $name } ist von hier aus nicht zu erreichen: { cause-no_pair }
say-member_not_up = { $name } ist von hier aus nicht zu erreichen: { cause-not_up }
say-member_own_addresses = { $name } ist von hier aus nicht zu erreichen: { cause-own_addresses }
say-member_firewall = { $name } ist von hier aus nicht zu erreichen: { cause-firewall }
say-member_too_large = { $name } ist von hier aus nicht zu erreichen: { cause-too_large }
say-member_no_route = { $name } ist von hier aus nicht zu erreichen: { cause-no_route }
say-member_not_sent = { $name } ist von hier aus nicht zu erreichen: { cause-not_sent }
say-member_sought = { $name } war seit einer halben Minute nicht zu erreichen. Dieses Programm sucht weiter, alle paar Sekunden, bis die Person zurück ist oder sich verabschiedet. Dauert es lange, fragen Sie auf einem anderen Weg, ob sie noch im Anruf ist.
say-too_many_codes = Es kann kein weiterer Code erstellt werden: Sechzehn sind noch offen. Ziehen Sie zuerst einige zurück.
say-interface_gone = Eine Netzwerkadresse, die dieser Anruf verwendet, ist weg. Was von dort ausging, ist angehalten, und ohne Rückfrage geht nichts von einer anderen aus.
say-not_pinned = Eine Netzwerkadresse kann nicht verwendet werden: Es lässt sich nicht erreichen, dass von dort nur ihre eigene Netzwerkschnittstelle benutzt wird, und über eine andere darf nichts hinaus. Verwenden Sie eine andere Adresse oder ein anderes Netz.
say-too_many_questions = { $name } kam über so viele verschiedene Wege, dass Sie vorerst nicht nach weiteren gefragt werden. Diese wurden abgewiesen.
say-stalled = Das Programm von { $name } nimmt nichts mehr an. Die Verbindung dorthin wurde geschlossen.
say-not_in_call = Ein Code kann nur in einem Anruf erstellt werden.
say-no_address_yet = Noch kann kein Code erstellt werden: Keine der Adressen, die Sie freigeben, ist da, weil die Netzwerkschnittstelle aus ist oder eben erst hochkommt. Der Code wird erstellt, sobald eine da ist.
say-port_taken = Einen Port, auf dem dieser Anruf zu erreichen war, verwendet jetzt ein anderes Programm; der Anruf ist daher auf einem anderen zu erreichen. Codes, die Sie vorher ausgegeben haben, führen zum alten Port: Sie gelten wieder, wenn er frei ist, was alle paar Sekunden versucht wird. Geben Sie bis dahin einen neuen Code aus.

# Nombres et unités
decimal-mark = ,
rate-kilobits = { $value } kbit/s
rate-megabits = { $value } Mbit/s
kilobytes = { $value } ko
megabytes = { $value } Mo
milliseconds = { $value } ms
minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
hours = { $count ->
    [one] { $count } heure
   *[other] { $count } heures
}

# Partout
back = Retour
close = Fermer
close-panel = Fermer ce panneau
dismiss = Masquer
somebody = quelqu’un sans nom
you = Vous
name = Votre nom
name-hint = Visible par les autres
volume = Volume
muted = micro coupé
speaks = parle
help = Touches

# Accueil
home-tagline = Des appels de groupe privés qui n’ont besoin de personne d’autre : ni serveur, ni compte.
home-start = Démarrer un appel
home-start-hint = Vous obtenez un code. Donnez-le à une seule personne, par un canal de confiance.
home-start-button = Démarrer un appel…
home-join = Rejoindre un appel
home-join-hint = Collez le code que vous avez reçu. Les majuscules, les espaces et les retours à la ligne n’ont pas d’importance.
home-code-field = Code
home-code-good = Ce code est encore valable pendant { $span }.
home-code-over = D’après votre horloge, qui indique { $clock }, ce code a expiré. La personne qui l’a créé le sait mieux : si votre horloge est fausse, il vous laissera peut-être encore entrer.
home-join-button = Rejoindre…
home-scan = Scanner avec la caméra
home-scan-stop = Arrêter de scanner
home-scanning = Tenez l’image du code devant la caméra.
home-drop-hint = Ou déposez ici une image du code (PNG ou JPEG).
home-nothing-connected = Rien n’est connecté : aucun socket réseau n’est ouvert tant que vous n’avez pas démarré ou rejoint un appel.
home-last = La dernière fois : { $name }, micro : { $microphone }, haut-parleur : { $speaker }

# Avant un appel
before-start = Avant de démarrer
before-join = Avant de rejoindre
before-start-button = Démarrer l’appel
before-join-button = Rejoindre l’appel
before-contacts = Ce que ce code contacte
before-contacts-hint = Rejoindre l’appel envoie des paquets à ces adresses, et à aucune autre. Elles ont été choisies par la personne qui vous a donné le code. Le code est encore valable pendant { $span }.
before-contacts-over = Rejoindre l’appel envoie des paquets à ces adresses, et à aucune autre. Elles ont été choisies par la personne qui vous a donné le code. D’après votre horloge, qui indique { $clock }, le code a expiré ; si votre horloge est fausse, il vous laissera peut-être encore entrer.
before-share = Vos adresses que les autres peuvent connaître
before-no-address = Cet ordinateur n’a aucune adresse réseau. Connectez-le d’abord à un réseau.
before-no-address-on = Selon les paramètres, seule l’interface { $interfaces } peut servir ; elle est absente ou n’a pas d’adresse. Connectez-la ou changez les paramètres.
before-tell-medium = Dire aux autres comment je me connecte (câble, Wi-Fi, réseau mobile, VPN)
before-rules = Ce qui peut se faire sans vous demander
before-admit-by-code = Laisser entrer toute personne qui a l’un de mes codes, sans me demander
before-who = Qui peut voir quoi
before-who-start = Seules les personnes que vous ou un autre membre laissez entrer vous entendent et vous voient ; chacune apprend les adresses cochées ci-dessus. Quiconque surveille un réseau en chemin voit quelles adresses communiquent, quand et combien, mais pas le contenu.
before-who-join = Tout le monde dans l’appel vous entend et vous voit, et apprend les adresses cochées ci-dessus ; la personne qui vous a donné le code peut en laisser entrer d’autres. Quiconque surveille un réseau en chemin voit quelles adresses communiquent, quand et combien, mais pas le contenu.
before-missing-name = Saisissez d’abord un nom.
before-missing-address = Cochez au moins une adresse : sans adresse, personne ne peut vous joindre.
reach-machine = joignable depuis cet ordinateur seulement
reach-network = joignable depuis ce réseau seulement
reach-public-4 = adresse IPv4 publique
reach-public-6 = adresse IPv6 publique
reach-warn-home = Cette adresse révèle le réseau, personnel ou professionnel, où vous vous trouvez ; les autres peuvent chercher à qui il appartient.
reach-warn-machine = Cette adresse identifie précisément cet ordinateur tant qu’il reste dans ce réseau. Une adresse temporaire en dit moins.

# Appareils
camera = Caméra
microphone = Micro
speaker = Haut-parleur
device-off = Désactivé
device-default = Choix du système
device-test = Signal de test
preview = Ce que voit votre caméra
preview-off = La caméra est désactivée
camera-on = La caméra est activée. Cliquez pour la désactiver
camera-off = La caméra est désactivée. Cliquez pour l’activer
microphone-on = Le micro est activé. Cliquez pour le désactiver
microphone-off = Le micro est désactivé. Cliquez pour l’activer
camera-missing = Il n’y a pas de caméra. Celle qui sera branchée sera utilisée. Cliquez pour ne pas l’attendre
microphone-missing = Il n’y a pas de micro. Celui qui sera branché sera utilisé. Cliquez pour ne pas l’attendre
level = Niveau du micro
level-off = Le micro est désactivé.
level-say-something = Dites quelque chose : la barre devrait bouger.
level-heard = Votre micro vous entend.
speaker-test = Jouer un son

# Règles
rule = Où le son et l’image peuvent aller sans vous demander
rule-ask = Nulle part : toujours demander
rule-listed = Vers les adresses du code et celles que les membres partagent ; demander à tout changement
rule-same = Vers les adresses du code et celles partagées ; ce que j’ai approuvé peut revenir
rule-all = Vers toute adresse où un membre prouve son identité
rule-none = Nulle part, et ne pas demander

# Rejoindre, et la fin
joining = En attente qu’on vous laisse entrer…
joining-hint = Ces adresses sont contactées, et aucune autre :
joining-give-up = Abandonner
ended = L’appel est terminé
ended-otherwise = L’appel n’a pas pu continuer
ended-home = Retour à l’accueil

# Appel
alone = Il n’y a encore personne d’autre ici. Donnez un code à quelqu’un : appuyez sur I.
bar-addresses = { $count ->
    [0] Le son et l’image ne vont nulle part
    [one] Le son et l’image vont à { $count } adresse
   *[other] Le son et l’image vont à { $count } adresses
}
bar-nothing = Vous n’envoyez ni son ni image
you-muted = Votre micro est coupé. Cliquez pour qu’on vous entende
you-unmuted = On peut vous entendre. Cliquez pour couper le micro
you-are-muted = Vous parlez, mais votre micro est coupé. Appuyez sur M, ou maintenez la barre d’espace, pour qu’on vous entende.
layout-grid = Afficher tout le monde à la même taille
layout-stage = Afficher en grand la personne qui parle
own-tile = Votre propre image, comme dans un miroir
own-tile-off = Votre propre image : la caméra est désactivée
leave-button = Quitter l’appel
leave-question = Quitter l’appel ?
leave-hint = Les autres restent connectés entre eux. Pour revenir, il vous faudra un nouveau code.
leave-stay = Rester
title-in-call = Sightline : en appel
title-muted = Sightline : en appel, micro coupé
tile-they-are-asked = En attente : on demande à cette personne si elle veut se connecter avec vous
tile-your-answer = Le son et l’image attendent votre réponse
tile-no-route = Pas encore de connexion
quality-unknown = connexion pas encore mesurée
quality-good = bonne connexion
quality-fair = connexion moyenne
quality-poor = mauvaise connexion
quality-nothing = rien n’arrive de là-bas
cover = Tout est masqué. Le son continue.
cover-muted = Votre micro est coupé.
cover-heard = On vous entend.
cover-question = Quelque chose attend votre réponse.
cover-take-away = Tout réafficher (F9)

# Questions sur les routes
question-title = Votre son et votre image peuvent-ils prendre cette route vers { $name } ?
question-paused = Jusqu’à votre réponse, le son et l’image vers { $name } sont en pause. Les autres ne sont pas concernés.
question-not-begun = Jusqu’à votre réponse, rien n’est envoyé à { $name }. Les autres ne sont pas concernés.
question-before = Avant
question-now = Maintenant
question-no-route = Pas encore de route
question-from-here = depuis
question-tells-address = Votre adresse est maintenant { $address }. Si vous autorisez cette route, tout le monde dans l’appel l’apprend.
question-behind = { $count ->
    [one] { $count } autre question attend.
   *[other] { $count } autres questions attendent.
}
whoever-gave-the-code = la personne qui vous a donné le code
answer-once = Autoriser
answer-once-hint = Cette route seulement. On vous redemandera si quelque chose change.
answer-rule = Autoriser, moins demander
answer-rule-hint = Cette route, et désormais dans cet appel : { $rule }
answer-no = Ne pas autoriser
answer-no-hint = Rien n’ira à cette adresse jusqu’à la fin de l’appel.
knock-title = { $name } veut entrer
knock-from = Cette personne est venue avec l’un de vos codes, depuis { $address }.
knock-hint = Elle a choisi ce nom elle-même. Ne la laissez entrer que si vous lui avez donné un code et que vous l’attendez.
knock-admit = Laisser entrer
knock-admit-hint = { $name } entend et voit tout le monde, et entre en contact avec chaque membre.
knock-refuse = Refuser
knock-refuse-hint = Cette personne apprend qu’on ne l’a pas laissée entrer. Son code ne peut plus servir.

# Routes
routes = Routes
route-direct = directe
route-via = via { $name }
medium-unknown = interface inconnue
medium-loopback = cet ordinateur seulement
medium-cable = câble
medium-wifi = Wi-Fi
medium-mobile = réseau mobile
medium-vpn = VPN
state-proposed = Rien n’y va : la route n’est pas approuvée
state-approved = Approuvée, rien ne passe encore
state-active = Le son et l’image passent
state-paused = Le son et l’image sont en pause
state-closed = Fermée
state-they-are-asked = En attente de l’accord de l’autre personne
state-they-denied = Rien ne passe : l’autre personne n’a pas accepté
state-they-withhold = Rien ne passe : la règle de l’autre personne n’autorise rien
reason-again = C’est la même route qu’avant, après une interruption
reason-too_many = Il y a eu trop de routes différentes pour vous interroger sur chacune
reason-first = C’est la première route vers cet endroit
reason-remote_address = L’adresse de l’autre personne a changé
reason-remote_port = Le port de l’adresse de l’autre personne a changé
reason-local_address = Votre propre adresse a changé
reason-local_interface = Votre propre interface réseau a changé
reason-kind = Directe au lieu de passer par un membre, ou l’inverse
reason-carrier = Un autre membre transporterait les paquets
reason-far_interface = Le réseau de l’autre personne a changé
reason-rule = Votre règle l’autorise
reason-agreed = Vous avez accepté
reason-denied = Vous avez refusé
reason-ready = Tout est prêt des deux côtés
reason-they_are_asked = On demande à l’autre personne
reason-they_denied = L’autre personne, ou sa règle, a refusé
reason-they_agreed = L’autre personne accepte
reason-replaced = Une autre route a pris sa place
reason-lost = Plus rien n’arrive de là-bas
reason-no_answer = Personne n’y a répondu
reason-interface_gone = Votre propre adresse ou interface réseau a disparu
reason-left = L’appel avec ce membre est terminé
approval-code = l’adresse figure dans le code que vous avez accepté
approval-shared = le membre partage cette adresse
approval-unchanged = c’est la même route qu’avant
approval-new_port = la même adresse, avec un NOUVEAU PORT
approval-before = vous l’aviez déjà approuvée
approval-all = votre règle autorise toutes les adresses
approval-user = par vous
routes-addresses = Adresses
routes-addresses-hint = Toutes les adresses qui participent, telles que comptées au socket de cet ordinateur.
routes-none = Aucune pour l’instant.
routes-stranger = Quelqu’un d’inconnu
routes-others = Autres, ensemble
routes-graph = Débit de la dernière minute, { $name }
routes-rates = ⬆ { $out }  ⬇ { $in }
routes-totals = En tout : ⬆ { $out }  ⬇ { $in }
routes-refused = { $count ->
    [one] { $count } paquet refusé
   *[other] { $count } paquets refusés
}
routes-times = Première fois il y a { $first }, dernière fois il y a { $last }
routes-history = Ce qui s’est passé
routes-earlier = { $count ->
    [one] { $count } étape antérieure n’est pas conservée.
   *[other] { $count } étapes antérieures ne sont pas conservées une par une.
}
routes-approved-by = Approuvée : { $approval }
routes-save = Enregistrer
routes-save-hint = Toutes les adresses et chaque étape, dans un nouveau fichier : .html pour lire, .json pour les programmes.
routes-save-button = Enregistrer dans ce fichier

# Personnes
people = Personnes
people-you = { $name } (vous)
people-nobody = Il n’y a encore personne d’autre ici.
people-invited-by = Entrée accordée par : { $name }
people-cannot-hear = { $name } ne peut pas entendre : { $whom }

# Inviter
invite = Inviter
invite-hint = Chaque code laisse entrer une personne, une seule fois. Donnez-le par un canal de confiance : quiconque l’a peut s’en servir.
invite-none = Aucun code n’est ouvert.
invite-new = Créer un autre code
invite-qr = Le code en image
invite-code = Le code
invite-expires = Sert une seule fois, encore valable pendant { $span }.
invite-copy = Copier
invite-copied = Copié
invite-withdraw = Révoquer
invite-withdraw-all = Révoquer tous les codes ouverts
invite-list = Codes jusqu’ici
invite-number = Code { $number }
fate-open = peut servir
fate-used = utilisé par { $name }
fate-withdrawn = révoqué
fate-expired = expiré

# Paramètres
settings = Paramètres
settings-look = Apparence
settings-language = Langue
settings-theme = Couleurs
theme-system = Comme le système
theme-light = Clair
theme-dark = Sombre
settings-contrast = Contraste élevé
settings-size = Taille du texte
settings-sound = Son
settings-echo = Supprimer l’écho du haut-parleur
settings-noise = Réduire le bruit de fond
settings-gain = Garder ma voix au même niveau
settings-sending = Envoi
settings-uplink = Envoyer au plus
settings-uplink-any = autant que possible
settings-uplink-hint = Si c’est trop peu pour les images, seul le son est envoyé.
settings-constant = Images toujours au même débit (cache si quelque chose bouge)
settings-kept = Ce qui est conservé
settings-kept-hint = Votre nom, vos appareils, vos règles et cette page, dans { $path }. Rien d’aucun appel.
settings-forget = Tout oublier
settings-devices = Appareils

# Diagnostic
diagnostics = Diagnostic
diagnostics-local = À l’écoute sur
diagnostics-events = Événements, les plus récents d’abord
stat-round-trip = Aller-retour
stat-loss = Paquets perdus
stat-sending = Vers cette personne
stat-receiving = De cette personne
stat-sound-delay = Retard du son
stat-picture-delay = Retard de l’image
stat-pictures = Images par seconde
stat-freezes = Images figées
stat-concealed = Son reconstitué, trames

# Touches
key-mute = Couper ou rétablir le micro
key-camera = Activer ou désactiver la caméra
key-people = Personnes
key-routes = Routes
key-invite = Inviter
key-diagnostics = Diagnostic
key-settings = Paramètres
key-layout = Même taille pour tout le monde, ou en grand la personne qui parle
key-leave = Quitter l’appel
key-cover = Tout masquer ; le son continue
key-yes = Répondre à une question : autoriser, laisser entrer
key-yes-rule = Répondre à une question : autoriser, et moins demander
key-no = Répondre à une question : non
key-help-open = Les touches disponibles
key-help = Cette liste
key-close = Fermer ce qui est ouvert
key-space = Espace, maintenue
key-talk = Se faire entendre tant qu’elle est maintenue
key-quit = Fermer la fenêtre

# Pourquoi rien n’a pu être envoyé, ou rien n’en est venu : après un deux-points
cause-unfinished = des paquets sont revenus, mais aucune connexion ne s’est faite. La ligne est trop lente ou perd trop, ou un autre programme a maintenant cette adresse. Réessayez, ou utilisez un autre réseau.
cause-no_pair = aucune de vos adresses n’est d’un type qui atteint les siennes (IPv4 et IPv6, par exemple, ou une adresse qui ne mène pas plus loin que sa machine ou son lien). Rien n’a été envoyé. Partagez une adresse du même type, ou demandez à l’autre côté de le faire.
cause-not_up = votre adresse n’est pas là. Son interface réseau est inactive, ou vient seulement de s’activer. Rien n’a été envoyé. Connectez le réseau et réessayez.
cause-own_addresses = cette machine a elle-même toutes ces adresses (les conteneurs et les machines virtuelles ont partout les mêmes), qui mènent donc à ses propres programmes. Rien n’a été envoyé. Demandez à l’autre côté de partager une autre adresse.
cause-firewall = votre propre système n’a laissé sortir aucun paquet. Un pare-feu ou une règle sur cette machine l’interdit. Autorisez ce programme à envoyer en UDP, puis réessayez.
cause-too_large = votre propre système n’a laissé sortir aucun paquet. Le réseau de votre adresse n’en accepte aucun de 1200 octets, dont QUIC a besoin. Utilisez un autre réseau, ou portez sa MTU à 1280.
cause-no_route = votre propre système ne connaît aucun chemin de votre adresse vers les siennes. Rien n’a été envoyé. Connectez un réseau qui y mène, ou partagez une de ses adresses.
cause-not_sent = votre propre système n’a laissé sortir aucun paquet. Utilisez une autre adresse ou un autre réseau.

# Ce qu’il faut dire : ce qui s’est passé, ce que cela signifie, que faire
say-joined = { $name } est là.
say-left = { $name } a quitté l’appel.
say-lost = { $name } n’est plus là : plus personne ne peut joindre cette personne. Si elle revient, elle reprend sa place.
say-cut_off = { $name } est coupé d’ici : votre propre système ne laisse plus rien sortir vers cette personne. Si cela change et qu’elle est encore là, elle reprend sa place.
say-saved = Toutes les adresses et chaque étape ont été enregistrées dans { $detail }.
say-save = Le relevé n’a pas été enregistré : { $detail } Choisissez un autre fichier.
say-settings = Vos paramètres n’ont pas pu être enregistrés : { $detail } Ils restent valables jusqu’à la fermeture de la fenêtre.
say-settings_unread = Vos paramètres n’ont pas pu être lus, aucun n’est donc utilisé : { $detail }
say-settings_unknown = Vos paramètres mentionnent { $detail }, que cette version ne connaît pas. Cela n’a aucun effet et reste dans le fichier.
say-start = L’appel n’a pas pu commencer : { $detail }
say-clip_rate = Le clip { $detail } n’indique pas combien d’images il a par seconde. Il est montré à 30.
say-camera = La caméra ne donne pas d’image : { $detail } Les autres ne vous voient pas. Choisissez-en une autre dans les paramètres.
say-microphone = Le micro ne donne pas de son : { $detail } Les autres ne vous entendent pas. Choisissez-en un autre dans les paramètres.
say-speaker = Le haut-parleur n’accepte pas de son : { $detail } Vous n’entendez personne. Choisissez-en un autre dans les paramètres.
say-encoder = Votre image n’a pas pu être encodée, les autres ne vous voient donc pas : { $detail } Désactivez la caméra, puis réactivez-la.
say-recording = Un enregistrement s’est arrêté : { $detail }
say-recording_renamed = Un enregistrement de ce nom existe déjà. Il est conservé, et le nouveau est écrit dans { $detail }.
say-playout = { $detail } Si cela persiste, quittez l’appel et rejoignez-le de nouveau.
say-undecodable = L’image de { $name } n’a pas pu être décodée. Elle reviendra avec la prochaine image complète.
say-picture_too_costly = Les images de { $name } sollicitent cette machine plus que des images ne le devraient. Elles ne sont pas affichées pendant un moment, puis réessayées.
say-small_packets_only = Les gros paquets n’arrivent pas jusqu’à { $name } : quelque chose en chemin les perd sans le signaler. Les images y sont envoyées dans de petits paquets, et de nouveau dans de gros dès qu’ils passent.
say-gave_way_rate = Votre machine ne suit pas l’appel : la fréquence d’images a été divisée par deux pour que le son continue. Cela se rétablit tout seul.
say-gave_way_size = Votre machine ne suit pas l’appel : les images ont été réduites pour que le son continue. Cela se rétablit tout seul.
say-gave_way_others = Votre machine ne suit pas l’appel : seule la personne qui parle est montrée, pour que le son continue. Cela se rétablit tout seul.
say-gave_way_pictures = Votre machine ne suit pas l’appel : toute la vidéo a été coupée pour que le son continue. Cela se rétablit tout seul.
say-load_back = Votre machine suit de nouveau : tout est revenu.
say-camera_moved = La caméra utilisée a disparu. Utilisée maintenant : { $detail }.
say-microphone_moved = Le micro utilisé a disparu. Utilisé maintenant : { $detail }.
say-speaker_moved = Le haut-parleur utilisé a disparu. Utilisé maintenant : { $detail }.
say-camera_gone = La caméra a disparu, et il n’y en a pas d’autre. Les autres ne vous voient pas. Branchez-en une, et elle sera utilisée.
say-microphone_gone = Le micro a disparu, et il n’y en a pas d’autre. Les autres ne vous entendent pas. Branchez-en un, et il sera utilisé.
say-speaker_gone = Le haut-parleur a disparu, et il n’y en a pas d’autre. Vous n’entendez personne. Branchez-en un, et il sera utilisé.
say-camera_back = La caméra est de nouveau utilisée : { $detail }.
say-microphone_back = Le micro est de nouveau utilisé : { $detail }.
say-speaker_back = Le haut-parleur est de nouveau utilisé : { $detail }.
say-code_expired = Ce code a expiré. Demandez-en un autre.
say-code_used = Ce code a déjà servi : chaque code laisse entrer une seule personne. Demandez-en un autre.
say-code_withdrawn = Ce code a été révoqué par la personne qui l’a créé. Demandez-en un autre.
say-code_wrong_letter = Il y a une faute de frappe dans ce code. Comparez-le à l’original, ou faites-le renvoyer.
say-code_cut = Ce code est coupé : il manque la fin. Copiez-le en entier.
say-code_newer_version = Ce code a été créé par une version plus récente de Sightline. Mettez celle-ci à jour pour l’utiliser.
say-code_empty = Il n’y a pas de code ici.
say-code_character = Quelque chose ici n’a pas sa place dans un code : un code ne contient que les lettres A à Z et les chiffres 2 à 7. Copiez uniquement le code.
say-code_look_alike = Ce code contient une lettre d’un autre alphabet ({ $detail }), qui ressemble seulement à l’une des nôtres. Demandez le code tel qu’il a été créé.
say-code_too_long = Il reste du texte après le code. Copiez uniquement le code.
say-code_several = Il y a ici deux codes différents. Ne gardez que celui que vous voulez utiliser.
say-code_no_address = Ce code ne contient aucune adresse à appeler. Demandez-en un autre.
say-picture_bad = Ce fichier n’est pas une image lisible : { $detail } Utilisez un PNG ou un JPEG du code.
say-picture_empty = Il n’y a pas de code dans cette image. Reprenez-la, bien de face et avec les quatre bords.
say-ended = Vous avez quitté l’appel.
say-unreachable = Personne n’a répondu aux adresses du code. La personne qui vous l’a donné est-elle encore dans l’appel, et vos réseaux peuvent-ils se joindre ? Un pare-feu sur sa machine, ou un routeur en chemin, arrête peut-être vos paquets : il doit laisser entrer UDP sur le port que le code indique.
say-unreachable_over = Personne n’a répondu aux adresses du code. D’après votre horloge, qui indique { $detail }, le code a expiré : demandez-en un autre, ou réglez votre horloge si elle est fausse. La personne qui vous l’a donné est-elle encore dans l’appel, et vos réseaux peuvent-ils se joindre ?
say-unfinished = Personne n’a pu être joint : { cause-unfinished }
say-no_pair = Personne n’a pu être joint : { cause-no_pair }
say-not_up = Personne n’a pu être joint : { cause-not_up }
say-own_addresses = Personne n’a pu être joint : { cause-own_addresses }
say-firewall = Personne n’a pu être joint : { cause-firewall }
say-too_large = Personne n’a pu être joint : { cause-too_large }
say-no_route = Personne n’a pu être joint : { cause-no_route }
say-not_sent = Personne n’a pu être joint : { cause-not_sent }
say-impostor = Quelqu’un qui n’a pas créé ce code a répondu à l’adresse qu’il contient. Rien ne lui a été envoyé. Demandez un autre code, par un autre canal.
say-inviter_gone = La personne qui vous a donné le code est partie avant de vous laisser entrer. Demandez-lui-en un autre.
say-line_lost = La connexion avec la personne qui vous a donné le code a été perdue avant qu’elle vous laisse entrer. Elle est trop lente ou perd trop, ou une machine ou un réseau n’est plus là, d’un côté ou de l’autre. Réessayez ; si le code est alors utilisé, demandez-en un autre.
say-full = L’appel est complet.
say-declined = La personne qui vous a donné le code ne vous a pas laissé entrer.
say-refused = Le programme de l’autre personne n’a pas compris la demande de ce programme pour rejoindre l’appel. Les deux ont-ils la même version ?
say-fault = La partie réseau du programme a cessé de fonctionner, l’appel est donc terminé. C’est une défaillance du programme.
say-clock_wrong = Votre horloge indique { $detail }, ce qui est impossible : ce programme est plus récent. Les appels fonctionnent quand même, mais les codes que vous créez annoncent une fin erronée, et le relevé d’un appel contient des heures erronées. Réglez votre horloge.
say-malformed = Le programme de { $name } a envoyé un message qui n’a pas de sens. La connexion avec lui a été fermée.
say-flood = Le programme de { $name } a envoyé trop de messages. La connexion avec lui a été fermée.
say-handshake = Quelqu’un s’est connecté sans pouvoir prouver son identité, et n’a pas été admis.
say-keys_expired = Les clés partagées avec { $name } n’ont pas pu être renouvelées à temps. La connexion a été fermée, et sera rétablie si cette personne est encore là.
say-dropped = Des paquets du programme de { $name } n’avaient pas de sens et ont été rejetés.
say-roster = Le programme de { $name } a transmis une liste de personnes incohérente. Demandez aux autres qui est là.
say-not_approved = Votre règle pour les adresses n’autorise pas de connexion avec { $name }. Pour changer cela, choisissez une autre règle sous « Routes ».
say-member_unreachable = { $name } ne répond pas aux adresses partagées. Un pare-feu sur sa machine, ou un routeur en chemin, arrête peut-être vos paquets. Les autres sont peut-être en liaison avec cette personne.
say-member_unfinished = { $name } ne peut pas être joint d’ici : { cause-unfinished }
say-member_no_pair = { $name } ne peut pas être joint d’ici : { cause-no_pair }
say-member_not_up = { $name } ne peut pas être joint d’ici : { cause-not_up }
say-member_own_addresses = { $name } ne peut pas être joint d’ici : { cause-own_addresses }
say-member_firewall = { $name } ne peut pas être joint d’ici : { cause-firewall }
say-member_too_large = { $name } ne peut pas être joint d’ici : { cause-too_large }
say-member_no_route = { $name } ne peut pas être joint d’ici : { cause-no_route }
say-member_not_sent = { $name } ne peut pas être joint d’ici : { cause-not_sent }
say-member_sought = { $name } n’a pas pu être joint depuis une demi-minute. Ce programme continue à chercher, toutes les quelques secondes, jusqu’à ce que cette personne revienne ou dise qu’elle part. Si cela dure, demandez-lui par un autre canal si elle est encore dans l’appel.
say-too_many_codes = Impossible de créer un code de plus : seize sont encore ouverts. Révoquez-en d’abord quelques-uns.
say-interface_gone = Une adresse réseau que cet appel utilise a disparu. Ce qui en partait est en pause, et rien ne part d’une autre sans vous demander.
say-not_pinned = Une adresse réseau ne peut pas être utilisée : il est impossible de faire en sorte que seule son interface réseau serve pour elle, et rien ne doit sortir par une autre. Utilisez une autre adresse ou un autre réseau.
say-too_many_questions = { $name } est passé par tant de routes différentes qu’on ne vous interroge plus à ce sujet pour l’instant. Ces routes ont été refusées.
say-stalled = Le programme de { $name } a cessé de lire. La connexion avec lui a été fermée.
say-not_in_call = Un code ne peut être créé que dans un appel.
say-no_address_yet = Aucun code ne peut encore être créé : aucune des adresses que vous partagez n’est là, car son interface réseau est inactive ou vient seulement de s’activer. Le code est créé dès qu’une adresse est là.
say-port_taken = Un port sur lequel cet appel écoutait est maintenant utilisé par un autre programme ; l’appel écoute donc sur un autre. Les codes que vous avez donnés avant mènent à l’ancien port : ils marcheront de nouveau quand il sera libre, ce qui est essayé toutes les quelques secondes. D’ici là, donnez un nouveau code.

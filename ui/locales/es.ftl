# Números y unidades
decimal-mark = ,
rate-kilobits = { $value } kbit/s
rate-megabits = { $value } Mbit/s
kilobytes = { $value } kB
megabytes = { $value } MB
milliseconds = { $value } ms
minutes = { $count ->
    [one] 1 minuto
   *[other] { $count } minutos
}
hours = { $count ->
    [one] 1 hora
   *[other] { $count } horas
}

# En todas partes
back = Atrás
close = Cerrar
close-panel = Cerrar este panel
dismiss = Descartar
somebody = alguien sin nombre
you = Usted
name = Su nombre
name-hint = Los demás lo verán
volume = Volumen
muted = micrófono silenciado
speaks = habla
help = Teclas

# Inicio
home-tagline = Llamadas de grupo privadas que no necesitan a nadie más: sin servidor, sin cuenta.
home-start = Iniciar una llamada
home-start-hint = Recibirá un código. Déselo a una sola persona, por un canal de confianza.
home-start-button = Iniciar llamada…
home-join = Unirse a una llamada
home-join-hint = Pegue el código que le dieron. Las mayúsculas y minúsculas, los espacios y los saltos de línea no importan.
home-code-field = Código
home-code-good = Este código se puede usar durante { $span } más.
home-code-over = Según su reloj, que marca { $clock }, este código ha caducado. Quien lo creó lo sabe mejor: si su reloj va mal, puede que aún le deje entrar.
home-join-button = Unirse…
home-scan = Escanear con la cámara
home-scan-stop = Dejar de escanear
home-scanning = Ponga la imagen del código delante de la cámara.
home-drop-hint = O suelte aquí una imagen del código (PNG o JPEG).
home-nothing-connected = No hay nada conectado: no se abre ningún socket de red hasta que inicie una llamada o se una a una.
home-last = La última vez: { $name }, micrófono: { $microphone }, altavoz: { $speaker }

# Antes de una llamada
before-start = Antes de iniciar
before-join = Antes de unirse
before-start-button = Iniciar la llamada
before-join-button = Unirse a la llamada
before-contacts = Con qué contacta este código
before-contacts-hint = Al unirse se envían paquetes a estas direcciones y a ninguna otra. Las eligió la persona que le dio el código. El código se puede usar durante { $span } más.
before-contacts-over = Al unirse se envían paquetes a estas direcciones y a ninguna otra. Las eligió la persona que le dio el código. Según su reloj, que marca { $clock }, el código ha caducado; si su reloj va mal, puede que aún le deje entrar.
before-share = Qué direcciones suyas pueden conocer los demás
before-no-address = Este equipo no tiene ninguna dirección de red. Conéctelo primero a una red.
before-no-address-on = Según los ajustes solo puede usarse { $interfaces }, y no está o no tiene dirección. Conéctela o cambie los ajustes.
before-tell-medium = Decir a los demás por qué medio me conecto (cable, Wi-Fi, red móvil, VPN)
before-rules = Qué puede ocurrir sin preguntar
before-admit-by-code = Dejar entrar a quien tenga uno de mis códigos, sin preguntarme
before-who = Quién puede ver qué
before-who-start = Solo le oyen y le ven las personas a las que usted u otro miembro deje entrar; cada una conocerá las direcciones marcadas arriba. Quien vigile una red en el camino ve qué direcciones se comunican, cuándo y cuánto, pero no el contenido.
before-who-join = Todos en la llamada le oyen y le ven, y conocen las direcciones marcadas arriba; la persona que le dio el código puede dejar entrar a otras. Quien vigile una red en el camino ve qué direcciones se comunican, cuándo y cuánto, pero no el contenido.
before-missing-name = Escriba primero un nombre.
before-missing-address = Marque al menos una dirección: sin ninguna, nadie puede comunicarse con usted.
reach-machine = accesible solo desde este equipo
reach-network = accesible solo desde esta red
reach-public-4 = dirección IPv4 pública
reach-public-6 = dirección IPv6 pública
reach-warn-home = Esta dirección identifica la red, de su casa o de su empresa, en la que usted está; los demás pueden averiguar a quién pertenece.
reach-warn-machine = Esta dirección identifica precisamente este equipo mientras siga en esta red. Una dirección temporal revela menos.

# Dispositivos
camera = Cámara
microphone = Micrófono
speaker = Altavoz
device-off = Desactivado
device-default = Predeterminado del sistema
device-test = Señal de prueba
preview = Lo que ve su cámara
preview-off = La cámara está desactivada
camera-on = La cámara está activada. Haga clic para desactivarla
camera-off = La cámara está desactivada. Haga clic para activarla
microphone-on = El micrófono está activado. Haga clic para desactivarlo
microphone-off = El micrófono está desactivado. Haga clic para activarlo
camera-missing = No hay cámara. Se usará la que se conecte. Haga clic para no esperarla
microphone-missing = No hay micrófono. Se usará el que se conecte. Haga clic para no esperarlo
level = Nivel del micrófono
level-off = El micrófono está desactivado.
level-say-something = Diga algo: la barra debería moverse.
level-heard = Su micrófono le oye.
speaker-test = Reproducir un tono

# Reglas
rule = Adónde pueden ir el sonido y la imagen sin preguntar
rule-ask = A ninguna parte: preguntar siempre
rule-listed = A las direcciones del código y las que comparten los miembros; preguntar ante cualquier cambio
rule-same = A las direcciones del código y las compartidas; lo que aprobé una vez puede volver
rule-all = A cualquier dirección en la que un miembro demuestre quién es
rule-none = A ninguna parte, y no preguntar

# Unirse, y el final
joining = Esperando a que le dejen entrar…
joining-hint = Se está contactando con estas direcciones y con ninguna otra:
joining-give-up = Abandonar
ended = La llamada ha terminado
ended-otherwise = La llamada no pudo continuar
ended-home = Volver al inicio

# Llamada
alone = Todavía no hay nadie más aquí. Dele un código a alguien: pulse I.
bar-addresses = { $count ->
    [0] El sonido y la imagen no van a ninguna parte
    [one] El sonido y la imagen van a 1 dirección
   *[other] El sonido y la imagen van a { $count } direcciones
}
bar-nothing = No envía ni sonido ni imagen
you-muted = Su micrófono está silenciado. Haga clic para que le oigan
you-unmuted = Se le oye. Haga clic para silenciar el micrófono
you-are-muted = Está hablando, pero su micrófono está silenciado. Pulse M, o mantenga pulsada la barra espaciadora, para que le oigan.
layout-grid = Mostrar a todos con el mismo tamaño
layout-stage = Mostrar en grande a quien habla
own-tile = Su propia imagen, como en un espejo
own-tile-off = Su propia imagen: la cámara está desactivada
leave-button = Salir de la llamada
leave-question = ¿Salir de la llamada?
leave-hint = Los demás siguen conectados entre sí. Para volver necesitará un código nuevo.
leave-stay = Quedarse
title-in-call = Sightline: en una llamada
title-muted = Sightline: en una llamada, micrófono silenciado
tile-they-are-asked = En espera: se está preguntando a esta persona si quiere conectarse con usted
tile-your-answer = El sonido y la imagen esperan su respuesta
tile-no-route = Todavía sin conexión
quality-unknown = conexión aún sin medir
quality-good = buena conexión
quality-fair = conexión regular
quality-poor = mala conexión
quality-nothing = no llega nada de allí
cover = Todo está oculto. El sonido continúa.
cover-muted = Está en silencio.
cover-heard = Se le oye.
cover-question = Algo espera su respuesta.
cover-take-away = Mostrar todo de nuevo (F9)

# Preguntas sobre rutas
question-title = ¿Pueden su sonido y su imagen ir por esta ruta a { $name }?
question-paused = Hasta que usted responda, el sonido y la imagen para { $name } están en pausa. A los demás no les afecta.
question-not-begun = Hasta que usted responda, no se envía nada a { $name }. A los demás no les afecta.
question-before = Antes
question-now = Ahora
question-no-route = Todavía sin ruta
question-from-here = desde
question-tells-address = Su dirección es ahora { $address }. Si lo permite, todos en la llamada la conocerán.
question-behind = { $count ->
    [one] Hay 1 pregunta más en espera.
   *[other] Hay { $count } preguntas más en espera.
}
whoever-gave-the-code = la persona que le dio el código
answer-once = Permitir
answer-once-hint = Solo esta ruta. Se le volverá a preguntar si algo cambia.
answer-rule = Permitir, preguntar menos
answer-rule-hint = Esta ruta y, a partir de ahora en esta llamada: { $rule }
answer-no = No permitir
answer-no-hint = No irá nada a esta dirección durante el resto de la llamada.
knock-title = { $name } quiere entrar
knock-from = Esta persona viene con uno de los códigos que usted creó, desde { $address }.
knock-hint = El nombre lo ha elegido esa persona. Déjela entrar solo si usted le dio un código y la espera.
knock-admit = Dejar entrar
knock-admit-hint = { $name } oye y ve a todos, y entra en contacto con cada miembro.
knock-refuse = No dejar entrar
knock-refuse-hint = Esa persona sabrá que no se la dejó entrar. El código ya no servirá.

# Rutas
routes = Rutas
route-direct = directa
route-via = a través de { $name }
medium-unknown = interfaz desconocida
medium-loopback = solo este equipo
medium-cable = cable
medium-wifi = Wi-Fi
medium-mobile = red móvil
medium-vpn = VPN
state-proposed = No va nada por ahí: la ruta no está aprobada
state-approved = Aprobada, todavía no pasa nada por ella
state-active = Pasan sonido e imagen
state-paused = El sonido y la imagen están en pausa
state-closed = Cerrada
state-they-are-asked = En espera del consentimiento de la otra parte
state-they-denied = No pasa nada: la otra parte no aceptó
state-they-withhold = No pasa nada: la regla de la otra parte no permite nada
reason-again = Es la misma ruta que antes, tras una interrupción
reason-too_many = Hubo demasiadas rutas distintas para preguntarle por cada una
reason-first = Es la primera ruta hacia allí
reason-remote_address = La dirección de la otra parte ha cambiado
reason-remote_port = El puerto de la dirección de la otra parte ha cambiado
reason-local_address = Su propia dirección ha cambiado
reason-local_interface = Su propia interfaz de red ha cambiado
reason-kind = Directa en vez de a través de un miembro, o al revés
reason-carrier = Otro miembro llevaría los paquetes
reason-far_interface = La red de la otra parte ha cambiado
reason-rule = Su regla lo permite
reason-agreed = Usted aceptó
reason-denied = Usted dijo que no
reason-ready = Ambas partes están listas
reason-they_are_asked = Se está preguntando a la otra parte
reason-they_denied = La otra parte, o su regla, dijo que no
reason-they_agreed = La otra parte acepta
reason-replaced = Otra ruta ocupó su lugar
reason-lost = Ya no llega nada de allí
reason-no_answer = Nadie respondió allí
reason-interface_gone = Su propia dirección o interfaz de red ya no está
reason-left = La llamada con este miembro ha terminado
approval-code = la dirección está en el código que usted aceptó
approval-shared = el miembro comparte esta dirección
approval-unchanged = es la misma ruta que antes
approval-new_port = la misma dirección, con un PUERTO NUEVO
approval-before = usted ya la había aprobado antes
approval-all = su regla permite todas las direcciones
approval-user = por usted
routes-addresses = Direcciones
routes-addresses-hint = Todas las direcciones que participan, contadas en el socket de este equipo.
routes-none = Ninguna todavía.
routes-stranger = Alguien desconocido
routes-others = Otras, en conjunto
routes-graph = Velocidad del último minuto, { $name }
routes-rates = ⬆ { $out }  ⬇ { $in }
routes-totals = En total: ⬆ { $out }  ⬇ { $in }
routes-refused = { $count ->
    [one] 1 paquete rechazado
   *[other] { $count } paquetes rechazados
}
routes-times = Primera vez hace { $first }, última vez hace { $last }
routes-history = Qué ha ocurrido
routes-earlier = { $count ->
    [one] 1 paso anterior no se conserva.
   *[other] { $count } pasos anteriores no se conservan uno a uno.
}
routes-approved-by = Aprobada: { $approval }
routes-save = Guardar
routes-save-hint = Todas las direcciones y cada paso, en un archivo nuevo: .html para leer, .json para programas.
routes-save-button = Guardar en este archivo

# Personas
people = Personas
people-you = { $name } (usted)
people-nobody = Todavía no hay nadie más aquí.
people-invited-by = Entrada permitida por: { $name }
people-cannot-hear = { $name } no puede oír a: { $whom }

# Invitar
invite = Invitar
invite-hint = Cada código deja entrar a una persona, una vez. Delo por un canal de confianza: quien lo tenga puede usarlo.
invite-none = No hay ningún código abierto.
invite-new = Crear otro código
invite-qr = El código como imagen
invite-code = El código
invite-expires = Sirve una vez, durante { $span } más.
invite-copy = Copiar
invite-copied = Copiado
invite-withdraw = Anular
invite-withdraw-all = Anular todos los abiertos
invite-list = Códigos hasta ahora
invite-number = Código { $number }
fate-open = se puede usar
fate-used = usado por { $name }
fate-withdrawn = anulado
fate-expired = caducado

# Ajustes
settings = Ajustes
settings-look = Aspecto
settings-language = Idioma
settings-theme = Colores
theme-system = Como el sistema
theme-light = Claro
theme-dark = Oscuro
settings-contrast = Contraste alto
settings-size = Tamaño del texto
settings-sound = Sonido
settings-echo = Eliminar el eco del altavoz
settings-noise = Reducir el ruido de fondo
settings-gain = Mantener mi voz al mismo nivel
settings-sending = Envío
settings-uplink = Enviar como máximo
settings-uplink-any = tanto como sea posible
settings-uplink-hint = Si es poco para las imágenes, solo se envía el sonido.
settings-constant = Imágenes siempre al mismo ritmo (oculta si algo se mueve)
settings-kept = Qué se guarda
settings-kept-hint = Su nombre, sus dispositivos, sus reglas y esta página, en { $path }. Nada de ninguna llamada.
settings-forget = Olvidarlo todo
settings-devices = Dispositivos

# Diagnóstico
diagnostics = Diagnóstico
diagnostics-local = A la escucha en
diagnostics-events = Eventos, primero los más recientes
stat-round-trip = Ida y vuelta
stat-loss = Paquetes perdidos
stat-sending = Hacia esta persona
stat-receiving = Desde esta persona
stat-sound-delay = Retraso del sonido
stat-picture-delay = Retraso de la imagen
stat-pictures = Imágenes por segundo
stat-freezes = Imágenes congeladas
stat-concealed = Sonido reconstruido, tramas

# Teclas
key-mute = Silenciar el micrófono o volver a activarlo
key-camera = Activar o desactivar la cámara
key-people = Personas
key-routes = Rutas
key-invite = Invitar
key-diagnostics = Diagnóstico
key-settings = Ajustes
key-layout = Todos del mismo tamaño, o en grande quien habla
key-leave = Salir de la llamada
key-cover = Ocultarlo todo; el sonido continúa
key-yes = Responder a una pregunta: permitir, dejar entrar
key-yes-rule = Responder a una pregunta: permitir, y preguntar menos
key-no = Responder a una pregunta: no
key-help-open = Qué teclas hay
key-help = Esta lista
key-close = Cerrar lo que esté abierto
key-space = Espacio, mantenido
key-talk = Que le oigan mientras se mantenga pulsado
key-quit = Cerrar la ventana

# Por qué no se pudo enviar nada, o no salió nada de ello: después de dos puntos
cause-unfinished = volvieron paquetes, pero no se estableció ninguna conexión. La línea es demasiado lenta o pierde demasiado, o ahora otro programa tiene la dirección. Vuelva a intentarlo, o use otra red.
cause-no_pair = ninguna de sus direcciones es de un tipo que llegue a las de la otra parte (IPv4 e IPv6, por ejemplo, o una que no lleva más allá de su propio equipo o enlace). No se envió nada. Comparta una dirección del mismo tipo, o pida a la otra parte que lo haga.
cause-not_up = su dirección no está disponible. Su interfaz de red está inactiva o acaba de activarse. No se envió nada. Conecte la red y vuelva a intentarlo.
cause-own_addresses = este equipo tiene él mismo todas esas direcciones (los contenedores y las máquinas virtuales tienen las mismas en todas partes), así que llevan a sus propios programas. No se envió nada. Pida a la otra parte que comparta otra dirección.
cause-firewall = su propio sistema no dejó salir ningún paquete. Un cortafuegos o una regla de este equipo lo prohíbe. Permita que este programa envíe por UDP y vuelva a intentarlo.
cause-too_large = su propio sistema no dejó salir ningún paquete. La red de su dirección no acepta ninguno de 1200 bytes, que QUIC necesita. Use otra red, o suba su MTU a 1280.
cause-no_route = su propio sistema no conoce ningún camino desde su dirección hasta las de la otra parte. No se envió nada. Conecte una red que lleve allí, o comparta una dirección de ella.
cause-not_sent = su propio sistema no dejó salir ningún paquete. Use otra dirección u otra red.

# Lo que hay que decir: qué ha ocurrido, qué significa, qué hacer
say-joined = { $name } está aquí.
say-left = { $name } salió de la llamada.
say-lost = { $name } ya no está: nadie puede comunicarse con esa persona. Si vuelve, recuperará su lugar.
say-cut_off = { $name } ha quedado fuera de alcance: su propio sistema no deja salir nada hacia esa persona. Si eso cambia y sigue ahí, recuperará su lugar.
say-saved = Todas las direcciones y cada paso se guardaron en { $detail }.
say-save = El registro no se guardó: { $detail } Elija otro archivo.
say-settings = No se pudieron guardar sus ajustes: { $detail } Seguirán vigentes hasta que cierre la ventana.
say-settings_unread = No se pudieron leer sus ajustes, así que no se usa ninguno: { $detail }
say-settings_unknown = Sus ajustes mencionan { $detail }, que esta versión no conoce. No tiene efecto y se queda en el archivo.
say-start = La llamada no pudo comenzar: { $detail }
say-clip_rate = El clip { $detail } no dice cuántas imágenes por segundo tiene. Se muestra a 30.
say-camera = La cámara no da imagen: { $detail } Los demás no le ven. Elija otra en los ajustes.
say-microphone = El micrófono no da sonido: { $detail } Los demás no le oyen. Elija otro en los ajustes.
say-speaker = El altavoz no acepta sonido: { $detail } Usted no oye a nadie. Elija otro en los ajustes.
say-encoder = No se pudo codificar su imagen, así que los demás no le ven: { $detail } Desactive la cámara y vuelva a activarla.
say-recording = Una grabación se ha detenido: { $detail }
say-recording_renamed = Ya existe una grabación con este nombre. Se conserva, y la nueva se guarda en { $detail }.
say-playout = { $detail } Si sigue así, salga de la llamada y vuelva a unirse.
say-undecodable = No se pudo decodificar la imagen de { $name }. Volverá con la próxima imagen completa.
say-picture_too_costly = Las imágenes de { $name } exigen a este equipo más de lo que deberían. No se muestran durante un rato; después se vuelve a intentar.
say-small_packets_only = Los paquetes grandes no llegan hasta { $name }: algo en el camino los pierde sin avisar. Las imágenes se le envían en paquetes pequeños, y de nuevo en grandes en cuanto pasen.
say-gave_way_rate = Su equipo no da abasto con la llamada: la frecuencia de imagen se redujo a la mitad para que siga el sonido. Se recupera por sí sola.
say-gave_way_size = Su equipo no da abasto con la llamada: las imágenes se redujeron para que siga el sonido. Se recupera por sí solo.
say-gave_way_others = Su equipo no da abasto con la llamada: solo se ve a quien habla, para que siga el sonido. Se recupera por sí solo.
say-gave_way_pictures = Su equipo no da abasto con la llamada: se apagó todo el vídeo para que siga el sonido. Se recupera por sí solo.
say-load_back = Su equipo vuelve a dar abasto: todo ha vuelto.
say-camera_moved = La cámara en uso ya no está. Ahora en uso: { $detail }.
say-microphone_moved = El micrófono en uso ya no está. Ahora en uso: { $detail }.
say-speaker_moved = El altavoz en uso ya no está. Ahora en uso: { $detail }.
say-camera_gone = La cámara ya no está y no hay otra. Los demás no le ven. Conecte una y se usará.
say-microphone_gone = El micrófono ya no está y no hay otro. Los demás no le oyen. Conecte uno y se usará.
say-speaker_gone = El altavoz ya no está y no hay otro. Usted no oye a nadie. Conecte uno y se usará.
say-camera_back = La cámara vuelve a estar en uso: { $detail }.
say-microphone_back = El micrófono vuelve a estar en uso: { $detail }.
say-speaker_back = El altavoz vuelve a estar en uso: { $detail }.
say-code_expired = Este código ha caducado. Pida otro.
say-code_used = Este código ya se ha usado: cada código deja entrar a una sola persona. Pida otro.
say-code_withdrawn = La persona que creó este código lo ha anulado. Pida otro.
say-code_wrong_letter = Hay algo mal escrito en este código. Compárelo con el original o pida que se lo envíen de nuevo.
say-code_cut = Este código está cortado: le falta el final. Cópielo entero.
say-code_newer_version = Este código se creó con una versión más reciente de Sightline. Actualice esta para usarlo.
say-code_empty = Aquí no hay ningún código.
say-code_character = Aquí hay algo que no pertenece a un código: un código solo tiene las letras de la A a la Z y las cifras del 2 al 7. Copie solo el código.
say-code_look_alike = En este código hay una letra de otro alfabeto ({ $detail }) que solo se parece a una de las nuestras. Pida el código tal como se creó.
say-code_too_long = Hay más texto después del código. Copie solo el código.
say-code_several = Aquí hay dos códigos distintos. Deje solo el que quiera usar.
say-code_no_address = Este código no contiene ninguna dirección a la que llamar. Pida otro.
say-picture_bad = Este archivo no es una imagen que se pueda leer: { $detail } Use un PNG o JPEG del código.
say-picture_empty = En esta imagen no hay ningún código. Tómela de nuevo, bien de frente y con los cuatro bordes.
say-ended = Usted salió de la llamada.
say-unreachable = Nadie respondió en las direcciones del código. ¿Sigue en la llamada la persona que se lo dio, y pueden comunicarse entre sí las redes de ambos? Quizá un cortafuegos en su equipo, o un router en el camino, no deja entrar sus paquetes: tiene que dejar entrar UDP en el puerto que indica el código.
say-unreachable_over = Nadie respondió en las direcciones del código. Según su reloj, que marca { $detail }, el código ha caducado: pida otro, o ponga su reloj en hora si va mal. ¿Sigue en la llamada la persona que se lo dio, y pueden comunicarse entre sí las redes de ambos?
say-unfinished = No se pudo llegar a nadie: { cause-unfinished }
say-no_pair = No se pudo llegar a nadie: { cause-no_pair }
say-not_up = No se pudo llegar a nadie: { cause-not_up }
say-own_addresses = No se pudo llegar a nadie: { cause-own_addresses }
say-firewall = No se pudo llegar a nadie: { cause-firewall }
say-too_large = No se pudo llegar a nadie: { cause-too_large }
say-no_route = No se pudo llegar a nadie: { cause-no_route }
say-not_sent = No se pudo llegar a nadie: { cause-not_sent }
say-impostor = En la dirección del código respondió alguien que no lo creó. No se le envió nada. Pida otro código, por otro canal.
say-inviter_gone = La persona que le dio el código se fue antes de dejarle entrar. Pídale otro.
say-line_lost = La conexión con la persona que le dio el código se perdió antes de que le dejara entrar. Es demasiado lenta o pierde demasiado, o el equipo o la red de uno de los dos lados ya no está. Vuelva a intentarlo; si para entonces el código ya se ha usado, pida otro.
say-full = Ya no caben más personas en la llamada.
say-declined = La persona que le dio el código no le dejó entrar.
say-refused = La otra parte no entendió la solicitud de este programa para unirse. ¿Tienen ambos programas la misma versión?
say-fault = La parte de red del programa dejó de funcionar, así que la llamada ha terminado. Es un fallo del programa.
say-clock_wrong = Su reloj marca { $detail }, lo cual no puede ser: este programa es más reciente. Las llamadas funcionan igualmente, pero los códigos que cree indicarán un final equivocado y el registro de una llamada tendrá horas equivocadas. Ponga su reloj en hora.
say-malformed = El programa de { $name } envió un mensaje que no tiene sentido. Se cerró la conexión con él.
say-flood = El programa de { $name } envió demasiados mensajes. Se cerró la conexión con él.
say-handshake = Alguien que se conectó no pudo demostrar ser quien debía y fue rechazado.
say-keys_expired = Las claves compartidas con { $name } no se pudieron renovar a tiempo. Se cerró la conexión, y se restablecerá si esa persona sigue ahí.
say-dropped = Unos paquetes del programa de { $name } no tenían sentido y se descartaron.
say-roster = El programa de { $name } transmitió una lista de personas incoherente. Pregunte a los demás quién está aquí.
say-not_approved = Su regla para las direcciones no permite una conexión con { $name }. Para cambiarlo, elija otra regla en «Rutas».
say-member_unreachable = { $name } no responde en las direcciones que comparte. Quizá un cortafuegos en su equipo, o un router en el camino, no deja entrar sus paquetes. Puede que los demás sí estén conectados con esa persona.
say-member_unfinished = No se puede llegar a { $name } desde aquí: { cause-unfinished }
say-member_no_pair = No se puede llegar a { $name } desde aquí: { cause-no_pair }
say-member_not_up = No se puede llegar a { $name } desde aquí: { cause-not_up }
say-member_own_addresses = No se puede llegar a { $name } desde aquí: { cause-own_addresses }
say-member_firewall = No se puede llegar a { $name } desde aquí: { cause-firewall }
say-member_too_large = No se puede llegar a { $name } desde aquí: { cause-too_large }
say-member_no_route = No se puede llegar a { $name } desde aquí: { cause-no_route }
say-member_not_sent = No se puede llegar a { $name } desde aquí: { cause-not_sent }
say-member_sought = No se ha podido llegar a { $name } desde hace medio minuto. Este programa sigue buscando, cada pocos segundos, hasta que esa persona vuelva o diga que se va. Si tarda mucho, pregúntele por otro medio si sigue en la llamada.
say-too_many_codes = No se puede crear otro código: todavía hay dieciséis abiertos. Anule antes algunos.
say-interface_gone = Una dirección de red que usa esta llamada ya no está. Lo que salía de ella está en pausa, y no sale nada de otra sin preguntar.
say-not_pinned = No se puede usar una dirección de red: no es posible hacer que solo se use su propia interfaz de red, y no debe salir nada por otra. Use otra dirección u otra red.
say-too_many_questions = { $name } vino por tantas rutas distintas que por ahora no se le pregunta a usted por más. Esas rutas se rechazaron.
say-stalled = El programa de { $name } dejó de leer. Se cerró la conexión con él.
say-not_in_call = Solo se puede crear un código dentro de una llamada.
say-no_address_yet = Todavía no se puede crear ningún código: ninguna de las direcciones que comparte está disponible, porque su interfaz de red está inactiva o acaba de activarse. El código se crea en cuanto lo esté una.
say-port_taken = Otro programa usa ahora un puerto en el que escuchaba esta llamada, así que escucha en otro. Los códigos que dio antes llevan al puerto anterior: volverán a servir cuando esté libre, lo que se intenta cada pocos segundos. Hasta entonces, dé un código nuevo.

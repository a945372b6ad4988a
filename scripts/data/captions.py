"""Word lists that turn emoji names and clip art titles into prompts, for build_captioned.py."""

import re

COLOURS = set(
    "red orange yellow green turquoise blue purple pink brown black white grey gray gold golden"
    " silver violet".split()
)

# Nouns that take no article although they do not look like a plural.
MASS = set(
    "bacon bread broccoli butter camping cheese clothing coal confetti corn coral cotton curry dna"
    " falafel fire fireworks fog food fondue fruit furniture garlic ginger gold grass hair"
    " headwear honey ice jewelry juice lightning luggage lotion mail meat milk money mud music nail"
    " oden paper pasta pepperoni popcorn rain rice sake salt seafood cutlery tableware makeup plumage currency steam sand sashimi silver sweat smoke snow soap soda"
    " spaghetti sushi tea toast underwear water weather wheat wine wood wool yarn people twins"
    " sheep lava beer coffee equipment machinery grain shrimp spinach celery lettuce parsley"
    " tennis badminton cricket lacrosse boxing ping-pong athletics".split()
)
# Endings in s that are singular.
SINGULAR_S = (
    "ss",
    "us",
    "is",
    "rhinoceros",
    "lens",
    "gas",
    "bus",
    "cactus",
    "atlas",
    "canvas",
    "iris",
    "christmas",
)


def with_article(label: str) -> str:
    """`label` with "a" or "an" where English wants one."""
    words = label.split()
    if words[0] in {"the", "a", "an", "two", "three", "some", "many", "someone"}:
        return label
    if label[0].isupper() and words[0] in {"Santa", "Mrs.", "Mount"}:
        return label
    head = re.split(
        r" (?:with|of|in|on|and|at|over|behind|without|for|from|showing|holding|wearing|facing|pointing|playing|feeding|lifting|coming|going|taking|getting|doing|blowing|savoring|screaming|bouncing|riding|rowing|fluttering|under|licking|covering) ",
        label,
    )[0]
    last = head.split()[-1].lower()
    if last in MASS or (last.endswith("s") and not last.endswith(SINGULAR_S)):
        return label
    sound = words[0].lower()
    vowel = sound[0] in "aeiou" and not re.match(r"(uni|one|eu|us|ute|ukulele)", sound)
    vowel = vowel or sound in {"hour", "hourglass", "x-ray", "suv"}
    return f"{'an' if vowel else 'a'} {label}"


# Unicode name → noun phrase, where the name alone does not read as what is seen.
EMOJI_NAMES = {
    "rolling on the floor laughing": "face rolling on the floor laughing",
    "hand with fingers splayed": "hand with splayed fingers",
    "leaf fluttering in wind": "leaf fluttering in the wind",
    "umbrella on ground": "beach umbrella",
    "person in lotus position": "person sitting in lotus position",
    "ring buoy": "life ring",
    "star-struck": "smiling face with stars for eyes",
    "smiling face with heart-eyes": "smiling face with heart eyes",
    "face savoring food": "smiling face licking its lips",
    "money-mouth face": "face with dollar signs for eyes",
    "zipper-mouth face": "face with a zipper for a mouth",
    "smiling face with tear": "smiling face with a tear",
    "smiling face with halo": "smiling face with a halo",
    "face with tongue": "face sticking out its tongue",
    "face with monocle": "face with a monocle",
    "face with thermometer": "sick face with a thermometer",
    "face with medical mask": "face with a medical mask",
    "face with head-bandage": "face with a bandaged head",
    "face with hand over mouth": "face with a hand over its mouth",
    "smiling face with horns": "purple smiling devil face",
    "angry face with horns": "purple angry devil face",
    "face without mouth": "face without a mouth",
    "cowboy hat face": "face with a cowboy hat",
    "partying face": "partying face with a party hat",
    "nerd face": "nerd face with glasses",
    "enraged face": "red angry face",
    "angry face": "angry face",
    "hot face": "red hot face with its tongue out",
    "cold face": "blue cold face with icicles",
    "nauseated face": "green sick face",
    "face vomiting": "vomiting face",
    "face exhaling": "sighing face",
    "exploding head": "face with an exploding head",
    "sneezing face": "sneezing face with a handkerchief",
    "disguised face": "face with funny glasses and a moustache",
    "skull and crossbones": "skull and crossbones",
    "pile of poo": "smiling pile of poo",
    "goblin": "red Japanese goblin mask",
    "ogre": "red Japanese ogre mask",
    "see-no-evil monkey": "monkey covering its eyes",
    "hear-no-evil monkey": "monkey covering its ears",
    "speak-no-evil monkey": "monkey covering its mouth",
    "smiling cat with heart-eyes": "smiling cat with heart eyes",
    "heart with arrow": "heart pierced by an arrow",
    "heart decoration": "white heart on a pink square",
    "heart exclamation": "heart exclamation mark",
    "mending heart": "heart with a bandage",
    "kiss mark": "red lipstick kiss mark",
    "collision": "explosion",
    "dizzy": "dizzy star",
    "dashing away": "puff of dust",
    "sweat droplets": "three blue droplets",
    "hole": "round black hole",
    "speech balloon": "speech bubble",
    "thought balloon": "thought bubble",
    "backhand index pointing left": "hand pointing left",
    "backhand index pointing right": "hand pointing right",
    "backhand index pointing up": "hand pointing up",
    "backhand index pointing down": "hand pointing down",
    "thumbs up": "thumbs up hand",
    "thumbs down": "thumbs down hand",
    "selfie": "hand taking a selfie with a phone",
    "nail polish": "hand with pink nail polish",
    "flexed biceps": "flexed arm with strong biceps",
    "cook": "cook",
    "breast-feeding": None,
    "horse racing": "jockey on a race horse",
    "kiss": "couple kissing",
    "couple with heart": "couple with a heart",
    "person with crown": "person with a crown",
    "baby angel": "baby angel",
    "mage": "wizard",
    "people with bunny ears": "dancers with bunny ears",
    "chicken": "chicken",
    "service dog": "service dog with a red vest",
    "guide dog": "guide dog with a harness",
    "sauropod": "green long-necked dinosaur",
    "T-Rex": "tyrannosaurus rex dinosaur",
    "bug": "green caterpillar",
    "lady beetle": "ladybug",
    "cricket": "cricket insect",
    "ear of corn": "ear of corn",
    "leafy green": "leafy green vegetable",
    "blossom": "yellow blossom",
    "cooking": "fried egg in a pan",
    "shallow pan of food": "pan of paella",
    "steaming bowl": "steaming bowl of noodles",
    "meat on bone": "meat on a bone",
    "poultry leg": "roasted chicken leg",
    "oden": "oden on a skewer",
    "dango": "dango on a skewer",
    "fish cake with swirl": "fish cake with a pink swirl",
    "hot beverage": "cup of hot coffee",
    "sake": "sake bottle and cup",
    "mate": "cup of mate tea",
    "ice": "ice cube",
    "soft ice cream": "soft ice cream cone",
    "ice cream": "bowl of ice cream",
    "shortcake": "slice of strawberry cake",
    "pouring liquid": "glass with pouring milk",
    "fork and knife with plate": "plate with fork and knife",
    "mount fuji": "Mount Fuji",
    "camping": "tent by a tree at night",
    "desert": "desert with a cactus",
    "national park": "national park landscape",
    "building construction": "building under construction",
    "wedding": "wedding chapel with a heart",
    "Statue of Liberty": "the Statue of Liberty",
    "Tokyo tower": "the Tokyo tower",
    "foggy": "foggy city",
    "kaaba": "the Kaaba",
    "metro": "metro train",
    "light rail": "light rail train",
    "automobile": "red car",
    "oncoming automobile": "front view of a red car",
    "oncoming taxi": "front view of a yellow taxi",
    "oncoming bus": "front view of a bus",
    "oncoming police car": "front view of a police car",
    "sport utility vehicle": "blue car",
    "articulated lorry": "big truck",
    "delivery truck": "delivery truck",
    "taxi": "yellow taxi",
    "motorway": "motorway",
    "construction": "construction barrier",
    "seat": "airplane seat",
    "airplane departure": "airplane taking off",
    "airplane arrival": "airplane landing",
    "watch": "wristwatch",
    "hourglass done": "hourglass",
    "hourglass not done": "hourglass with running sand",
    "ringed planet": "planet with rings",
    "night with stars": "city at night with stars",
    "fog": "fog",
    "high voltage": "yellow lightning bolt",
    "sun with face": "sun with a face",
    "milky way": "the Milky Way at night",
    "tennis": "tennis racket and ball",
    "bowling": "bowling ball and pins",
    "cricket game": "cricket bat and ball",
    "field hockey": "field hockey stick and ball",
    "ice hockey": "ice hockey stick and puck",
    "lacrosse": "lacrosse stick and ball",
    "ping pong": "ping pong paddle and ball",
    "badminton": "badminton racket and shuttlecock",
    "flag in hole": "golf flag in a hole",
    "bullseye": "target with a dart",
    "pool 8 ball": "black billiard ball with the number 8",
    "game die": "game die",
    "performing arts": "comedy and tragedy masks",
    "moon viewing ceremony": "moon viewing decoration with dumplings",
    "woman's clothes": "pink blouse",
    "headphone": "headphones",
    "closed book": "closed red book",
    "locked": "locked padlock",
    "unlocked": "open padlock",
    "locked with key": "padlock with a key",
    "locked with pen": "padlock with a pen",
    "pick": "pickaxe",
    "couch and lamp": "couch and a lamp",
    "shower": "shower head",
    "bell with slash": "crossed-out bell",
    "optical disk": "silver compact disc",
    "dvd": "golden dvd disc",
    "computer disk": "minidisc",
    "e-mail": "envelope with the letter e",
    "money with wings": "dollar bills with wings",
    "memo": "paper and a pencil",
    "piñata": "pinata",
    "satellite antenna": "satellite dish",
    "package": "cardboard box",
    "wood": "wooden log",
    "first quarter moon": "half moon",
    "last quarter moon": "left half moon",
    "cloud with rain": "cloud with rain",
    "fire": "fire",
    "droplet": "blue water droplet",
    "ram": "ram with horns",
    "monkey": "monkey",
}

# Emoji that show a sign, a letter or an idea rather than a thing, or that do not belong here.
EMOJI_LEFT_OUT = set(
    """hundred points;anger symbol;ZZZ;left speech bubble;right anger bubble;eye in speech bubble
    middle finger;dotted line face;biting lip;person;person with veil;man with veil;woman with veil
    breast-feeding;woman feeding baby;man feeding baby;person feeding baby;pregnant man
    pregnant person;person wearing turban;man wearing turban;person in tuxedo;woman in tuxedo
    person in steamy room;person kneeling;person standing;people hugging;speaking head;deaf person
    bust in silhouette;busts in silhouette;merperson;person gesturing NO;person gesturing OK
    person tipping hand;person frowning;person pouting;leftwards hand;rightwards hand;palm up hand
    leftwards pushing hand;rightwards pushing hand;globe with meridians;love hotel;hot springs
    Japanese post office;no entry;spade suit;heart suit;diamond suit;club suit;joker
    mahjong red dragon;flower playing cards;level slider;control knobs;bookmark tabs;label
    mobile phone with arrow;chart increasing with yen;inbox tray;outbox tray;identification card
    placard;cigarette;coffin;funeral urn;headstone;drop of blood;syringe;bikini;briefs
    goal net;reminder ribbon;film frames;bookmark;receipt;link;card index dividers;map of Japan
    department store;convenience store;suspension railway;aerial tramway;mountain railway;tram car
    station;trolleybus;minibus;new moon;page with curl;page facing up;card index;ledger;memo pad
    waxing gibbous moon;waning gibbous moon;waning crescent moon;admission tickets;hamsa;pager
    low battery;speaker low volume;muted speaker;closed mailbox with lowered flag
    open mailbox with lowered flag;yen banknote;pound banknote;euro banknote;incoming envelope
    envelope with arrow;file folder;card file box;x-ray;shopping bags;linked paperclips
    anatomical heart;lungs;hair pick;hand with index finger and thumb crossed
    index pointing at the viewer;vulcan salute;love-you gesture;call me hand;raised back of hand
    oncoming fist;left-facing fist;right-facing fist;white cane;mechanical arm;mechanical leg
    pinching hand;pinched fingers;ear with hearing aid;tanabata tree;pine decoration""".replace(
        "\n", ";"
    ).split(";")
)
EMOJI_LEFT_OUT = {name.strip() for name in EMOJI_LEFT_OUT}

# Words that name nothing in particular.
VAGUE = set(
    "animal animals mammal people person clothing clothes symbol plant food tool toy sport sports"
    " container building dessert beverage drink body part piece picture image figure illustration"
    " design sign element map icon logo object thing item set game art author file desktop theme"
    " background frame cartoon drawing media print sheet line lines right left top bottom corner"
    " form page screen transport medicine music computer office school nature face open square"
    " decoration vehicle template outline end variation version author place equipment system"
    " game activity event color colour emotion expression hand man woman pack group collection"
    " construction device work lab kind back front side number letter state team model base cover"
    " button light ring round stage ground tone net layer structure".split()
)
# CLDR keywords that are no name of the thing.
KEYWORDS_LEFT_OUT = VAGUE | set(
    "flutter palm mexican religion morning red dance party cell catch curve attraction opening reflector video sweet scorpio"
    " board engine chest roll 2 charm float signal pc flavoring extraterrestrial explosive prize"
    " dice bat serpent weapon".split()
)
STYLE_WORDS = set(
    "bw clip clipart svg simple stylized style silhouette contour outline illustration icon symbol"
    " cartoon drawing sketch picture image draw drawn new various etiquette remix final version nice"
    " dan dave jon joe ben the an my de la il un una da di simplified another large big generic basic plain whole color colour shape".split()
)
STOP_WORDS = set(
    "with in on col by and for to from at drawn or using as number no without seen is are etc del e con"
    " per over under that this b w of".split()
)

# Italian, Spanish and shorthand titles of frequent contributors.
ITALIAN = {
    "cavallo": "horse",
    "coniglio": "rabbit",
    "gatto": "cat",
    "cane": "dog",
    "aglio": "garlic",
    "zucca": "pumpkin",
    "lucertola": "lizard",
    "ravanello": "radish",
    "bussola": "compass",
    "lente": "magnifying glass",
    "casco": "helmet",
    "libro": "book",
    "padella": "frying pan",
    "maiale": "pig",
    "mucca": "cow",
    "topo": "mouse",
    "pesce": "fish",
    "uccello": "bird",
    "farfalla": "butterfly",
    "ape": "bee",
    "ragno": "spider",
    "ragnetto": "spider",
    "moschito": "mosquito",
    "mosca": "fly",
    "formica": "ant",
    "rana": "frog",
    "tartaruga": "turtle",
    "serpente": "snake",
    "gallina": "chicken",
    "gallo": "rooster",
    "anatra": "duck",
    "orso": "bear",
    "leone": "lion",
    "tigre": "tiger",
    "elefante": "elephant",
    "scimmia": "monkey",
    "pecora": "sheep",
    "capra": "goat",
    "stambecco": "ibex",
    "fiore": "flower",
    "albero": "tree",
    "foglia": "leaf",
    "mela": "apple",
    "pera": "pear",
    "arancia": "orange",
    "limone": "lemon",
    "fragola": "strawberry",
    "ciliegia": "cherry",
    "uva": "grapes",
    "pomodoro": "tomato",
    "carota": "carrot",
    "cipolla": "onion",
    "patata": "potato",
    "melanzana": "eggplant",
    "peperone": "bell pepper",
    "fungo": "mushroom",
    "pane": "bread",
    "formaggio": "cheese",
    "uovo": "egg",
    "torta": "cake",
    "gelato": "ice cream",
    "bicchiere": "glass",
    "bottiglia": "bottle",
    "tazza": "cup",
    "cucchiaio": "spoon",
    "forchetta": "fork",
    "coltello": "knife",
    "sedia": "chair",
    "tavolo": "table",
    "letto": "bed",
    "lampada": "lamp",
    "orologio": "clock",
    "chiave": "key",
    "lucchetto": "padlock",
    "martello": "hammer",
    "forbici": "scissors",
    "sega": "saw",
    "cacciavite": "screwdriver",
    "pinza": "pliers",
    "pennello": "paintbrush",
    "matita": "pencil",
    "penna": "pen",
    "puntine": "thumbtacks",
    "valigie": "suitcases",
    "valigia": "suitcase",
    "borsa": "bag",
    "ombrello": "umbrella",
    "scarpa": "shoe",
    "cappello": "hat",
    "guanto": "glove",
    "casa": "house",
    "castello": "castle",
    "macchina": "car",
    "treno": "train",
    "nave": "ship",
    "barca": "boat",
    "aereo": "airplane",
    "bicicletta": "bicycle",
    "camion": "truck",
    "palla": "ball",
    "pallone": "ball",
    "chitarra": "guitar",
    "tromba": "trumpet",
    "tamburo": "drum",
    "candela": "candle",
    "sole": "sun",
    "luna": "moon",
    "stella": "star",
    "nuvola": "cloud",
    "dino": "dinosaur",
    "baloon": "balloon",
    "icecream": "ice cream",
    "lightbulb": "light bulb",
    "teddybear": "teddy bear",
    "aquila": "eagle",
    "lucertolona": "lizard",
    "lucertolone": "lizard",
    "pinguino": "penguin",
    "flamand": "flamingo",
    "moto": "motorcycle",
    "cuore": "heart",
    "pizza": "pizza",
    "telefono": "telephone",
    "secchio": "bucket",
    "scopa": "broom",
    "tenda": "tent",
    "ancora": "anchor",
    "ruota": "wheel",
}

# Clip art whose file says too little or the wrong thing: file name → label.
CLIP_ART_NAMES = {
    "baby_tux_01": "baby penguin",
    "baby_tux_rory_mccann_01": "baby penguin",
    "plush_tux_anita_01": "penguin",
    "aquila_frontale_architet_01": "eagle",
    "turkey_on_platter_01": "roast turkey",
    "bug_nicu_buculei_01": "ladybug",
    "horse_2_konstantin_r._01": "horse",
    "bear_peterm_01": "bear",
    "pinguino_col_piccolo_arc_01": "penguin",
    "dragon_head_nicu_buculei_01": "dragon head",
    "mobile_architetto_france_01": "cabinet",
    "tower": "computer tower",
    "valigie_bags_architetto__01": "suitcases",
    "paint": "paint palette",
    "slate-apple_benji_park_01": "blackboard and an apple",
    "macchina_fotografica_di_01": "camera",
    "flower-pot_01": "baby bottle",
    "macchina_caffe_architett_01": "coffee machine",
    "cuppa_schwoo_01": "cup",
    "flat_cake_bw_jean-victor_01": "birthday cake",
    "flat_cake_jean-victor_ba_01": "birthday cake",
    "tile_orange_gabriel_lo_i_01": "orange",
    "honey": "honeycomb",
    "farmer_onelette_bw": "sandwich",
    "frying_pan_padella_in_i_03": "frying pan",
    "addressed_envelope_with_stamp_01": "envelope",
    "propeller": "propeller hat",
    "fatherchristmas_01": "Santa Claus",
    "knitting": "ball of yarn with knitting needles",
    "knitting_01": "ball of yarn with knitting needles",
    "blacksmith_anvil_ganson": "anvil",
    "chesspieces-bishop": "chess bishop",
    "chesspieces-king": "chess king",
    "chesspieces-knight": "chess knight",
    "chesspieces-pawn": "chess pawn",
    "chesspieces-queen": "chess queen",
    "chesspieces-rook": "chess rook",
    "pallone_aerestatico_arch_01": "hot air balloon",
    "ape_miele": "honeycomb",
    "big_truck_01": "truck",
    "woman_eye_lumen_design_s_01": "eye",
    "sacco_a_pelo_per_campeg_01": "sleeping bag",
    "blazer_01": "jeep",
    "tree_branches_and_roots_01": "tree with roots",
    "heart_tiles_jon_phillips_01": "hearts",
    "lightly_decorated_evergreen_01": "decorated Christmas tree",
    "plain_tree_01": "evergreen tree",
    "road_runner_ganson": "car",
    "handball_ball_brice_boye_01": "handball",
    "moon-crescent": "crescent moon",
    "packman_01": "yellow Pac-Man",
    "guitar_ganson": "acoustic guitar",
    "troll_daniel_steele_r": "green troll",
}

# The same for whole labels.
CLIP_ART_LABELS = {
    "hearth": "heart",
    "farmer": "sandwich",
    "mad little ship": "ship in a bottle",
    "tramway": "tram",
    "cone": "ice cream cone",
    "grass hopper": "grasshopper",
    "antilope": "antelope",
    "chateau": "castle",
    "moons": "moon",
    "cow": "cow",
    "red eye frog": "red-eyed frog",
    "autos": "cars",
    "hummer": "hummer car",
    "eiffel tower": "the Eiffel Tower",
    "volley ball": "volleyball",
    "sandglass": "hourglass",
    "piano keys": "piano keys",
    "pop can": "soda can",
    "football ball": "football",
    "pan cakes": "pancakes",
    "cone soft chocolate": "soft chocolate ice cream cone",
    "cone soft vanilla": "soft vanilla ice cream cone",
    "balloon orange": "orange balloon",
    "balloon white": "white balloon",
    "pizza cheese": "cheese pizza",
    "pizza pepperoni": "pepperoni pizza",
    "magnolia white": "white magnolia",
    "tele vision": "television",
    "computer mouse": "computer mouse",
    "kiddy train": "toy train",
    "fifties jukebox": "jukebox",
    "mobile": "mobile phone",
    "mobile phone": "mobile phone",
    "drinking glass": "drinking glass",
    "jupiter": "the planet Jupiter",
    "mars": "the planet Mars",
    "saturn": "the planet Saturn",
    "venus": "the planet Venus",
    "ice water": "glass of ice water",
    "lens magnifying glass": "magnifying glass",
    "fries": "french fries",
    "bulb": "light bulb",
    "prune": "plum",
    "lemonade": "glass of lemonade",
    "apple juice": "apple juice",
    "wine": "glass of wine",
    "clips": "paper clips",
    "copper beagle": "beagle dog",
    "pen pencil": "pen and pencil",
    "floppy": "floppy disk",
    "iris": "eye iris",
}

# Labels and file names that are unsuitable, mislabelled or show several things.
CLIP_ART_LEFT_OUT = set(
    """dead frogs;baby;braces;male;manager;wing;virus;mascot;port switch;gnome;navigation display panel;come;mix
    straw tote;blue bread;large braces;user;buddy;card figure joker;card figure king;card figure queen
    jacob;donna;einstein;enthusiast;female;handel;head;hide girl;man head;martin luther king;sexy lady
    signore;signorina;silvia;symbolic boy;cannabis leaf;human;tamerlane chess;hacker emblem;white
    general;evolution steps;panel;angel;caterpillar;psycho;roman;sub;landscape near river;bad guy
    angry punk;sexy baily;virus;hub;sexy;blue stamper;crazy monkey;war drum;adult;youngster;busy mom
    people;backpacker heavy load;backpacker;servers;model;airbrush;banner;generic muffin;paint roller banner;paint roller wall
    paint roller panel;african;natural gas pump well;grain elevator;wall;school hallway;happy boy
    knot bowline;knot clove hitch;knot figure eight;knot half hitches;sailing heel;two way crosses
    mosquito_peterm_01;bucket_michael_moore_;compass_01;plane_in_the_sky_mo_01;rock_RPSWB;scissors_RPSWB
    baby-tux_alex_kuehne_01;team;lovely baby;recycling box;gnome-dev-harddisk;piano_theory_ganson1
    fireworks_ganson3;general;boy;girl;blue girl;iris;dead;xbill;lady;turban;bus lane;boating""".replace(
        "\n", ";"
    ).split(";")
)
CLIP_ART_LEFT_OUT = {label.strip() for label in CLIP_ART_LEFT_OUT}

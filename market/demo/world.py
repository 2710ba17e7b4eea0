"""The invented people and goods of the demo. Prices rest on real rows of `fair_price_references.csv`; IBANs are test numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from market.demo.goods import BANANAS, BASKET, CLOTH, COCOA, COFFEE, COTTON, HONEY, MANGO, OIL, ORGANIC, SUGAR, Good

PASSWORD = "correct horse battery"
ADMIN = "admin@market.example"


@dataclass(frozen=True)
class CoopPlan:
    """A co-op with its members and what they make."""

    slug: str
    terms: dict[str, object]
    members: tuple[str, ...]
    rails: tuple[str, ...]
    language: str
    region: str
    point: tuple[str, str]
    goods: tuple[Good, ...]
    certificates: tuple[dict[str, object], ...] = ()
    floors: tuple[dict[str, str], ...] = field(default_factory=tuple)
    told: Mapping[str, str] = field(default_factory=dict)
    """The co-op's story in more languages."""

    def goods_of(self, number: int) -> tuple[Good, Good]:
        """Return the two goods that member `number` offers."""
        count = len(self.goods)
        return self.goods[2 * number % count], self.goods[(2 * number + 1) % count]


COOPS = (
    CoopPlan(
        slug="alto-mayo",
        terms={
            "name": "Cooperativa Alto Mayo",
            "country": "PE",
            "currency": "EUR",
            "region": "San Martín",
            "time_zone": "America/Lima",
            "language": "es",
            "service_pct": "6",
            "payment_pct": "1.5",
            "tax_pct": "0",
            "transport_minor_per_line": 180,
            "book_alone_minor": 1000,
            "account_holder": "Cooperativa Alto Mayo",
            "iban": "DE89370400440532013000",
            "bic": "COBADEFFXXX",
            "street": "Jirón Lima",
            "building": "12",
            "town": "Moyobamba",
            "postcode": "22001",
            "latitude": "-6.034",
            "longitude": "-76.971",
            "story": "Eight families on the slopes above Moyobamba. They pick by hand and wash the coffee the same day.",
        },
        members=(
            "Rosa Huamán",
            "Teófilo Quispe",
            "Marina Chávez",
            "Eusebio Rojas",
            "Luz Vela",
            "Aníbal Torres",
            "Nelly Ramos",
            "Iván Soto",
        ),
        rails=("sepa",),
        told={
            "es": "Ocho familias en las laderas sobre Moyobamba. Recogen a mano y lavan el café el mismo día.",
            "ar": "ثماني عائلات على السفوح فوق مويوبامبا. تقطف باليد وتغسل البن في اليوم نفسه.",
        },
        language="es",
        region="Alto Mayo",
        point=("-6.0", "-77.0"),
        goods=(
            Good(
                "Caturra, washed and dried on raised beds",
                COFFEE | {"name": "Arabica, washed"},
                "lb",
                "2.35",
                "harvest",
                "KGM",
                "400",
                ("fairtrade",),
                "FOB",
                step="5",
                story="Red apple, cane sugar, a clean finish.",
                told={
                    "es": ("Caturra lavado, secado en camas elevadas", "Manzana roja, panela, final limpio."),
                    "ar": ("كاتورا مغسولة ومجففة على أسرّة مرفوعة", "تفاح أحمر وسكر قصب ونهاية صافية."),
                },
            ),
            Good(
                "Bourbon from old trees, organic",
                ORGANIC,
                "lb",
                "2.95",
                "harvest",
                "KGM",
                "300",
                ("fairtrade", "organic"),
                "FOB",
                step="5",
                story="Grown under inga trees, without anything from a bag.",
            ),
            Good(
                "Typica from the high plots",
                COFFEE | {"name": "Arabica, washed"},
                "lb",
                "2.60",
                "harvest",
                "KGM",
                "180",
                ("fairtrade",),
                "FOB",
                step="5",
                story="Ripens two weeks later; orange blossom and cocoa.",
            ),
            Good(
                "Honey of the coffee blossom",
                HONEY,
                "kg",
                "9.80",
                "harvest",
                "KGM",
                "60",
                story="The hives stand between the rows; one harvest a year.",
            ),
            Good(
                "Panela, poured by hand",
                SUGAR,
                "kg",
                "3.10",
                "harvest",
                "KGM",
                "150",
                step="2",
                story="Cane juice boiled down over its own straw, nothing added.",
            ),
            Good(
                "Bananas, dried in the sun",
                BANANAS,
                "kg",
                "7.20",
                "harvest",
                "KGM",
                "80",
                story="They shade the young coffee; what is too much for the village is dried.",
            ),
        ),
        certificates=(
            {"scheme": "fairtrade", "kind": "trade", "number": "FLO-40111", "issuer": "FLOCERT", "product_scope": ["coffee"]},
            {"scheme": "organic", "kind": "organic", "number": "PE-BIO-123", "issuer": "Bio Latina", "product_scope": ["coffee"]},
        ),
    ),
    CoopPlan(
        slug="asante-cocoa",
        terms={
            "name": "Asante Cocoa Farmers",
            "country": "GH",
            "currency": "USD",
            "region": "Ashanti",
            "time_zone": "Africa/Accra",
            "language": "en",
            "service_pct": "5",
            "payment_pct": "1.5",
            "tax_pct": "0",
            "transport_minor_per_line": 220,
            "book_alone_minor": 1000,
            "account_holder": "Asante Cocoa Farmers",
            "iban": "GB29NWBK60161331926819",
            "bic": "NWBKGB2L",
            "street": "Kejetia Road",
            "building": "4",
            "town": "Kumasi",
            "postcode": "AK1",
            "latitude": "6.688",
            "longitude": "-1.624",
            "story": "Six families who ferment under plantain leaves for six days and turn the heap twice.",
        },
        members=("Akosua Mensah", "Kwame Boateng", "Abena Owusu", "Yaw Osei", "Efua Asare", "Kojo Antwi"),
        rails=("stripe", "cash", "momo"),
        language="en",
        region="Ashanti",
        point=("6.7", "-1.6"),
        goods=(
            Good(
                "Cocoa beans, fermented six days",
                COCOA,
                "kg",
                "3.90",
                "harvest",
                "KGM",
                "500",
                ("fairtrade",),
                "FOB",
                step="5",
                story="Even brown, little acid, dried on mats in the sun.",
            ),
            Good(
                "Cocoa beans, small lot for makers",
                COCOA,
                "kg",
                "4.60",
                "harvest",
                "KGM",
                "120",
                ("fairtrade",),
                "FOB",
                step="5",
                story="From one plot; the fermentation sheet comes with it.",
            ),
            Good(
                "Mango, dried in slices",
                MANGO,
                "kg",
                "8.40",
                "harvest",
                "KGM",
                "90",
                story="Kent and Keitt from the yard, dried in a solar dryer.",
            ),
            Good(
                "Forest honey, dark",
                HONEY,
                "kg",
                "7.90",
                "harvest",
                "KGM",
                "70",
                story="From the edge of the forest reserve, strained and never heated.",
            ),
            Good(
                "Cocoa nibs, lightly roasted",
                COCOA,
                "kg",
                "9.50",
                "harvest",
                "KGM",
                "60",
                ("fairtrade",),
                "FOB",
                story="Roasted in the village, winnowed by hand.",
            ),
            Good(
                "Cotton, picked by hand",
                COTTON,
                "kg",
                "4.10",
                "harvest",
                "KGM",
                "200",
                step="5",
                story="Long staple for spinners, ginned in Tamale.",
            ),
        ),
        certificates=(
            {"scheme": "fairtrade", "kind": "trade", "number": "FLO-40222", "issuer": "FLOCERT", "product_scope": ["cocoa"]},
        ),
    ),
    CoopPlan(
        slug="taller-luna",
        terms={
            "name": "Taller Luna",
            "country": "ES",
            "currency": "EUR",
            "region": "Sierra Norte",
            "time_zone": "Europe/Madrid",
            "language": "es",
            "service_pct": "8",
            "payment_pct": "1.5",
            "tax_pct": "10",
            "transport_minor_per_line": 290,
            "book_alone_minor": 1000,
            "account_holder": "Taller Luna S. Coop.",
            "iban": "ES9121000418450200051332",
            "bic": "CAIXESBBXXX",
            "street": "Calle Mayor",
            "building": "3",
            "town": "Buitrago",
            "postcode": "28730",
            "latitude": "40.99",
            "longitude": "-3.63",
            "story": "Weavers and basket makers who decide their own least prices in the assembly, with the sums on the table.",
        },
        members=("Carmen Vidal", "Inés Roldán", "Paula Soler", "Marta Gil", "Lucía Prieto", "Elena Cano"),
        rails=("sepa", "cash"),
        language="es",
        region="Sierra Norte",
        point=("41.0", "-3.6"),
        goods=(
            Good(
                "Shawl of undyed merino",
                CLOTH,
                "piece",
                "58.00",
                "craft",
                "H87",
                "40",
                story="Two days at the loom; the wool is from the next valley.",
            ),
            Good(
                "Bread basket of palm",
                BASKET,
                "piece",
                "19.50",
                "craft",
                "H87",
                "60",
                story="Palm cut in January, soaked, split and braided.",
                told={
                    "es": ("Panera de palma", "Palma cortada en enero, remojada, partida y trenzada."),
                    "ar": ("سلة خبز من سعف النخيل", "سعف قُطع في يناير، نُقع وشُق وجُدل."),
                },
            ),
            Good(
                "Olive oil, first pressing",
                OIL,
                "litre",
                "11.50",
                "harvest",
                "LTR",
                "120",
                story="Cornicabra from old trees, pressed on the day of picking.",
            ),
            Good(
                "Rosemary honey",
                HONEY,
                "kg",
                "10.90",
                "harvest",
                "KGM",
                "50",
                story="From the slopes behind the workshop, in May.",
            ),
            Good(
                "Scarf in the colours of autumn",
                CLOTH,
                "piece",
                "54.00",
                "craft",
                "H87",
                "30",
                story="Dyed with walnut, madder and onion skin.",
            ),
            Good(
                "Fruit basket with a dark band",
                BASKET,
                "piece",
                "21.00",
                "craft",
                "H87",
                "45",
                story="The band is palm dyed with oak bark.",
            ),
        ),
        floors=(
            {"title": "Handwoven shawl", "product": "shawl", "form_": "handwoven", "amount": "52.00"},
            {"title": "Palm basket", "product": "basket", "form_": "palm", "amount": "18.20"},
        ),
    ),
)

BUYERS = ("Ana Weber", "Jonas Keller", "Marie Dubois", "Tom Baker", "Sara Lind")
PAYEE_IBANS = (
    "DE02120300000000202051", "DE02500105170137075030", "DE02100500000054540402", "DE02300209000106531065",
    "DE02200505501015871393", "DE02100100100006820101", "DE02300606010002474689", "DE02600501010002034304",
    "DE02700202700010108669", "DE02701500000000594937", "DE88100900001234567892", "AT026000000001349870",
    "AT021420020010147558", "CH9300762011623852957",
)  # fmt: skip

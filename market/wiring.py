"""Settings choose the outside world: the real gateways, which also speak to our own local servers."""

from config import Settings
from market.gateways.documents import TypstDocuments
from market.gateways.files import ObjectFiles
from market.gateways.mobile_money import MobileMoney
from market.gateways.smtp_mailer import SmtpMailer
from market.gateways.stripe_cards import StripeCards
from market.gateways.stripe_recipients import StripeRecipients
from market.gateways.stripe_transfers import StripeTransfers
from market.ports import Ports


def build_ports(settings: Settings) -> Ports:
    """Return the gateways for `settings`; nothing is contacted yet."""
    return Ports(
        cards=StripeCards(
            key=settings.stripe_key, webhook_secret=settings.stripe_webhook_secret, api_base=settings.stripe_api_base
        ),
        transfers=StripeTransfers(key=settings.stripe_key, api_base=settings.stripe_api_base),
        recipients=StripeRecipients(key=settings.stripe_key, api_base=settings.stripe_api_base),
        wallets=_wallets(settings),
        files=ObjectFiles(settings.files_url),
        documents=TypstDocuments(),
        mailer=SmtpMailer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            user=settings.smtp_user,
            password=settings.smtp_password,
            tls=settings.smtp_tls,
            sender=settings.mail_from,
        ),
    )


def _wallets(settings: Settings) -> MobileMoney | None:
    if not settings.momo_api_base:
        return None
    return MobileMoney(
        api_base=settings.momo_api_base,
        user=settings.momo_user,
        key=settings.momo_key,
        subscription=settings.momo_subscription_key,
        target=settings.momo_environment,
        callback=f"{settings.public_url}/hooks/mobile-money",
    )

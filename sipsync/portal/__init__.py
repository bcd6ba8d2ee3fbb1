"""One Bitrix24 portal over REST: requests, answers, credentials, rate limits."""

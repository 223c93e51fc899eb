#pragma once
/* Tokens and secrets; nobody is asked for them. */
#include "world/ctl/ctl.h"

extern const struct flag token_mint_flags[], token_check_flags[], secret_flags[];
enum ended verb_token_mint(struct ctl *c);
enum ended verb_token_check(struct ctl *c);
enum ended verb_secret(struct ctl *c);

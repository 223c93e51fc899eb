# Writes OUT: the bytes of IN as `const struct span NAME`, declared in HEADER. A NUL stands behind them.
file(READ "${IN}" hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
file(WRITE "${OUT}" "#include \"${HEADER}\"
static const unsigned char bytes[] = {${bytes}0};
const struct span ${NAME} = {.ptr = (const char *)bytes, .len = sizeof bytes - 1};
")

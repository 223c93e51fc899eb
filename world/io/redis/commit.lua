-- Writes to a world, if its lease is ours and it is as we left it (docs/redis.md, "Writing").
-- ARGV: prefix, world, id of the process, epoch of its lease; the lowest and the highest number of
-- commits that the world may have had; the clock in ms; "1" to forget first all that is there (the
-- lowest does not count then);
-- then op, kind, key and value for each record: "put", "remove", or "renew" for both, in this order.
-- Answers {"ok", commits}, {"lost"}: the lease is not ours, {"gap", commits}: it had others, or
-- {"bad", why}: a key is not ours. Nothing has changed unless it is "ok".
local prefix, world, id, epoch = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local low, high, clock, clear = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
local FIRST, WORDS = 9, 4
local FORGOTTEN_S = 86400 -- until the rest of a world without records goes

local meta_key, worlds_key = prefix .. ':meta:' .. world, prefix .. ':worlds'
local keys, all_keys = {}, {}
for _, kind in ipairs({'room', 'shard', 'node', 'server', 'ban', 'retired'}) do
    keys[kind] = prefix .. ':' .. kind .. ':' .. world
    all_keys[#all_keys + 1] = keys[kind]
end

local function lease_is_ours()
    local ours = epoch .. ' ' .. id .. ' '
    local lease = redis.pcall('GET', prefix .. ':lease:' .. world)
    return type(lease) == 'string' and lease:sub(1, #ours) == ours
end

local function is_of_type(key, wanted)
    local found = redis.call('TYPE', key).ok
    return found == 'none' or found == wanted
end

-- The first that some other program has made.
local function foreign_key()
    for _, key in ipairs(all_keys) do
        if not is_of_type(key, 'hash') then
            return key
        end
    end
    return not is_of_type(meta_key, 'hash') and meta_key or not is_of_type(worlds_key, 'set') and worlds_key
end

local seq

local function next_seq()
    seq = seq + 1
    return string.format('%.0f', seq)
end

local function put(key, field, value, fresh)
    local old = not fresh and redis.call('HGET', key, field)
    redis.call('HSET', key, field, (old and old:match('^%d+') or next_seq()) .. ' ' .. value)
end

local function write_all()
    for i = FIRST, #ARGV, WORDS do
        local op, key, field, value = ARGV[i], keys[ARGV[i + 1]], ARGV[i + 2], ARGV[i + 3]
        if op ~= 'put' then
            redis.call('HDEL', key, field)
        end
        if op ~= 'remove' then
            put(key, field, value, clear)
        end
    end
end

-- A world without records is not listed, and what is known beside them stays for a while only.
local function list_world()
    if redis.call('EXISTS', unpack(all_keys)) > 0 then
        redis.call('SADD', worlds_key, world)
        redis.call('PERSIST', meta_key)
    else
        redis.call('SREM', worlds_key, world)
        redis.call('EXPIRE', meta_key, FORGOTTEN_S)
    end
end

if not lease_is_ours() then
    return {'lost'}
end
local foreign = foreign_key()
if foreign then
    return {'bad', foreign .. ' is of another type: another program uses it'}
end
local meta = redis.call('HMGET', meta_key, 'format', 'epoch', 'rev', 'clock', 'seq')
if (meta[1] or redis.call('EXISTS', meta_key) == 1) and meta[1] ~= '1' then
    return {'bad', meta_key .. ' was written by another version'}
elseif tonumber(meta[2] or 0) > tonumber(epoch) then
    return {'lost'}
end
local rev = tonumber(meta[3] or 0)
if rev > high or not clear and rev < low then
    return {'gap', rev} -- forgetting has a bound, too: this call may come late
elseif not clear and #ARGV < FIRST then
    return {'ok', rev}
elseif not meta[1] and #ARGV < FIRST then
    redis.call('UNLINK', unpack(all_keys))
    return {'ok', 0}
end

seq = clear and 0 or tonumber(meta[5] or 0)
if clear then
    redis.call('UNLINK', unpack(all_keys))
end
write_all()
rev = high + 1
redis.call('HSET', meta_key, 'format', '1', 'epoch', epoch, 'rev', string.format('%.0f', rev),
    'clock', string.format('%.0f', math.max(clock, tonumber(meta[4] or 0))),
    'seq', string.format('%.0f', seq))
list_world()
return {'ok', rev}

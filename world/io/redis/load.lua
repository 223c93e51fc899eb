-- Reads a world (docs/redis.md).
-- ARGV: prefix, world. Answers {"none"}: it has no records, {"bad", why}: a key is not ours, or
-- {"ok", epoch, rev, clock} with a list {key, value, …} for each kind behind it.
local prefix, world = ARGV[1], ARGV[2]
local meta_key = prefix .. ':meta:' .. world
local kinds = {'room', 'shard', 'node', 'server', 'ban', 'retired'}

-- Numbers of 15 digits are exact in a double. nil: it is none.
local function whole(text)
    return text and #text <= 15 and text:find('^%d+$') and tonumber(text) or nil
end

local meta = redis.pcall('HMGET', meta_key, 'format', 'epoch', 'rev', 'clock', 'seq')
if meta.err then
    return {'bad', meta_key .. ': ' .. meta.err}
elseif not meta[1] and redis.call('EXISTS', meta_key) == 0 then
    for _, kind in ipairs(kinds) do
        local key = prefix .. ':' .. kind .. ':' .. world
        if redis.call('EXISTS', key) == 1 then
            return {'bad', key .. ' is there without ' .. meta_key}
        end
    end
    return {'none'}
elseif not meta[1] then
    return {'bad', meta_key .. ' is not ours: it has no format'}
elseif meta[1] ~= '1' then
    return {'bad', meta_key .. ' was written by another version: format ' .. meta[1]:sub(1, 20)}
end
local answer = {'ok'}
for i, name in ipairs({'epoch', 'rev', 'clock', 'seq'}) do
    local number = whole(meta[i + 1])
    if not number then
        return {'bad', meta_key .. ' has no ' .. name}
    elseif name ~= 'seq' then
        answer[#answer + 1] = number
    end
end
for _, kind in ipairs(kinds) do
    local key = prefix .. ':' .. kind .. ':' .. world
    local records = redis.pcall('HGETALL', key)
    if records.err then
        return {'bad', key .. ': ' .. records.err}
    end
    answer[#answer + 1] = records
end
return answer

-- The leases of many worlds, and which processes there are (docs/redis.md, "Leases").
-- ARGV: prefix, id and url of the process, number of its call, ttl in ms; then for each world: "keep",
-- "want" or "free", the world, our epoch and the highest that we have seen.
-- Answers {processes, news}: the others as "id url", and for each world {"ours", epoch},
-- {"others", epoch, ms that are left, id, url}, {"free", epoch of its meta} or {"bad", why}.
local prefix, id, url = ARGV[1], ARGV[2], ARGV[3]
local call, ttl = tonumber(ARGV[4]), tonumber(ARGV[5])
local FIRST, WORDS = 6, 4

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- Without the exponent that tostring gives large numbers.
local function digits(n)
    return string.format('%.0f', n)
end

-- Numbers of 15 digits are exact in a double. nil: it is none.
local function whole(text)
    return text and #text <= 15 and text:find('^%d+$') and tonumber(text) or nil
end

-- nil: there is none. nil and a text: it is not ours to read.
local function read_lease(key)
    local value = redis.pcall('GET', key)
    if not value then
        return nil
    elseif type(value) == 'table' then
        return nil, key .. ': ' .. value.err
    end
    local epoch, holder, place = value:match('^(%d+) (%x+) (%S+)$')
    local left = redis.call('PTTL', key)
    epoch = whole(epoch)
    if not epoch or #holder ~= 16 then
        return nil, key .. ' is not a lease'
    elseif left < 0 then
        return nil, key .. ' is a lease without an end'
    end
    return {epoch = epoch, id = holder, url = place, left = left}
end

-- The epoch of the last lease, as read_lease.
local function read_epoch(key)
    local meta = redis.pcall('HMGET', key, 'format', 'epoch')
    if meta.err then
        return nil, key .. ': ' .. meta.err
    elseif not meta[1] and redis.call('EXISTS', key) == 0 then
        return nil
    elseif not meta[1] then
        return nil, key .. ' is not ours: it has no format'
    elseif meta[1] ~= '1' then
        return nil, key .. ' was written by another version: format ' .. meta[1]:sub(1, 20)
    end
    local epoch = whole(meta[2])
    if not epoch then
        return nil, key .. ' has no epoch'
    end
    return epoch
end

-- A lease above all epochs that anybody has heard of.
local function take(lease_key, meta_key, stored, held, epoch, above)
    local new = math.max(now, 1 + math.max(stored or 0, held or 0, epoch, above))
    if stored then
        redis.call('HSET', meta_key, 'epoch', digits(new))
    end
    redis.call('SET', lease_key, digits(new) .. ' ' .. id .. ' ' .. url, 'PX', ttl)
    return {'ours', new}
end

local function prolong(lease_key, held)
    redis.call('PEXPIRE', lease_key, ttl)
    return {'ours', held}
end

local function free(lease_key, stored)
    redis.call('DEL', lease_key)
    return {'free', stored or 0}
end

local function tend(op, world, epoch, above)
    local lease_key, meta_key = prefix .. ':lease:' .. world, prefix .. ':meta:' .. world
    local lease, bad = read_lease(lease_key)
    if bad then
        return {'bad', bad}
    end
    local stored, worse = read_epoch(meta_key)
    if worse then
        return {'bad', worse}
    elseif lease and lease.id ~= id then
        return {'others', lease.epoch, lease.left, lease.id, lease.url}
    elseif op == 'free' then
        return free(lease_key, stored)
    end
    local held = lease and lease.epoch
    if op == 'keep' then
        if stored and stored > epoch and not (held and held >= stored) then
            return free(lease_key, stored) -- somebody else was owner since
        elseif held and held >= epoch and held >= above then
            return prolong(lease_key, held)
        end
    elseif held and held > above then
        return prolong(lease_key, held) -- an answer was lost
    end
    return take(lease_key, meta_key, stored, held, epoch, above)
end

-- True: a call that was sent later was here before.
local function is_late()
    local key, last = prefix .. ':calls:' .. id
    last = tonumber(redis.call('GET', key) or 0)
    if last and last > call then
        return true
    end
    redis.call('SET', key, digits(call), 'PX', math.max(60000, 20 * ttl))
    return false
end

-- nil and a text: the key is not ours, or Redis takes no writes.
local function tend_processes()
    local key, self = prefix .. ':processes', id .. ' ' .. url
    local others = {}
    local added = redis.pcall('ZADD', key, digits(now + 2 * ttl), self)
    if type(added) == 'table' then
        return nil, key .. ': ' .. added.err
    end
    redis.call('ZREMRANGEBYSCORE', key, '-inf', digits(now))
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
        if member ~= self then
            others[#others + 1] = member
        end
    end
    return others
end

if is_late() then
    return redis.error_reply('LATE a later call was here before')
end
local others, bad = tend_processes()
if bad then
    return redis.error_reply(bad)
end
local news = {}
for i = FIRST, #ARGV, WORDS do
    news[#news + 1] = tend(ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]))
end
return {others, news}

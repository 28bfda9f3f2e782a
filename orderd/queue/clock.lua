-- Adjusts all stored times of waits after this Redis' clock was set, unless that has been done.
--
-- KEYS  1 clock     hash: "at", the last reading of the clock, and "moved", the total adjustment of stored times
--       2 opening   a time
--       3 ...       sorted sets of times
-- ARGV  1 moved, as it was read  2 by  3 since: only times before it are adjusted    (in microseconds)
--       4 pattern of the keys that expire

local by, since = tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function text(time)
    return string.format('%.0f', time)
end

local moved = tonumber(redis.call('HGET', KEYS[1], 'moved') or 0)
if moved ~= tonumber(ARGV[1]) then
    return 0
end
redis.call('HSET', KEYS[1], 'at', text(now), 'moved', text(moved + by))

local opening = redis.call('GET', KEYS[2])
if opening then
    redis.call('SET', KEYS[2], text(opening + by))
end
for i = 3, #KEYS do
    local members = redis.call('ZRANGE', KEYS[i], 0, -1, 'WITHSCORES')
    for j = 1, #members, 2 do
        local time = tonumber(members[j + 1])
        if time < since or (by < 0 and time > now) then
            redis.call('ZADD', KEYS[i], text(time + by), members[j])
        end
    end
end
-- Keys that were set meanwhile are renewed soon.
for _, key in ipairs(redis.call('KEYS', ARGV[4])) do
    local left = redis.call('PTTL', key)
    if left > 0 then
        redis.call('PEXPIRE', key, math.max(math.floor(left + by / 1000), 1))
    end
end
return 1

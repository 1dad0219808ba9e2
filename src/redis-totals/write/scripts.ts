import type { RedisScript } from '../../redis-link/index.ts';

/*
 * The scripts that write. Lua in Redis has no rollback, so each script checks all keys and fields before its first
 * write. That first write is a command that Redis refuses if its memory is full (`deny-oom`), so a full memory refuses
 * the whole script. The scripts have no `#!lua` line: Redis 6.2 does not know it, and Redis refuses a script without it
 * exactly at that first write.
 *
 * Arguments are flat, with all names before all amounts, so that `HMGET` can take the names straight from `ARGV`.
 * Measured with 25,000 fields in one call: 0.8 microseconds per field. One HINCRBY per field takes 1.2; MessagePack
 * would save 4%.
 */

/**
 * 64-bit arithmetic on decimal texts. Lua's numbers are doubles. If one term and the sum are below `exact`, the other
 * term is below 2^53 and the sum of doubles is exact. Beyond that, `plus` adds the upper 10 and the lower 9 digits
 * separately, and answers whether the sum fits into 64 bits.
 */
const arithmetic = `
local find, sub, format, tonumber, floor = string.find, string.sub, string.format, tonumber, math.floor
local exact = 4e15
local function integer(text)
  return find(text, '^-?[1-9]%d*$') or text == '0'
end
local function halves(text)
  if not integer(text) then return nil end
  local sign, digits = 1, text
  if sub(text, 1, 1) == '-' then sign, digits = -1, sub(text, 2) end
  if #digits > 19 then return nil end
  return sign * (tonumber(sub(digits, 1, -10)) or 0), sign * tonumber(sub(digits, -9))
end
local function fits(high, low)
  local carry = floor(low / 1e9)
  high, low = high + carry, low - carry * 1e9
  if high > 9223372036 or (high == 9223372036 and low > 854775807) then return false end
  return high > -9223372037 or (high == -9223372037 and low >= 145224192)
end
local function plus(left, right)
  local lefthigh, leftlow = halves(left)
  local righthigh, rightlow = halves(right)
  if not lefthigh or not righthigh then return false end
  if not fits(lefthigh, leftlow) or not fits(righthigh, rightlow) then return false end
  return fits(lefthigh + righthigh, leftlow + rightlow)
end
`;

/** Answers `type` for a key of the wrong type. A missing key is fine. */
const typeCheck = `
local function wrong(key, expected)
  local found = redis.call('TYPE', key).ok
  if found ~= expected and found ~= 'none' then return {'type', key, expected, found} end
end
`;

/**
 * KEYS[1]: the hash of numbers. ARGV: ledger, the last batch of this call (number and token), its number, the batch
 * that the tag must have now.
 *
 * A tag keeps its last batch, with the token: the same number with another token belongs to another history. Only the
 * caller knows the history, so the answer `duplicate` also names the kept batch. A duplicate writes the kept batch
 * again, because from Redis 7.2 on, and in Valkey, WAIT covers only the writes of its own connection.
 */
const numberRule = `
local at = 5
local fault = wrong(KEYS[1], 'hash')
if fault then return fault end
local text = redis.call('HGET', KEYS[1], ARGV[1]) or '0'
if text ~= ARGV[4] then
  local kept = tonumber(string.match(text, '^%d+'))
  if not kept then return {'marked', text} end
  if kept < tonumber(ARGV[3]) then return {'kept', text} end
  redis.call('HSET', KEYS[1], ARGV[1], text)
  return {'duplicate', text}
end
`;

/**
 * Reads and checks the counts of a call (`composeCall`). The keys after KEYS[1] are the hashes, the sets, and, if there
 * are individual changes: the hash of what shared fields lack (optional), the hash of rejected changes, and the list of
 * rejected changes. ARGV from here on:
 *
 * 1. the number of hashes, the number of sets;
 * 2. for each hash: `1` if fields are deleted at 0, the number of fields, their names, their amounts;
 * 3. for each set: the number of members, the members;
 * 4. the number of individual changes, and `1` if the keys include the hash of what shared fields lack;
 * 5. for each individual change: its entry for the list of rejected changes; its amount; its field in the hash of
 *    rejected changes (empty: none); the number of fields that change together (-1: reject the change), with the index
 *    of the hash and the name of each; the number of shared fields, with the index of the hash, the name and the entry
 *    for the list of each.
 */
const readCounts = `
local hashes, sets = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
at = at + 2
local bad, outs, gone, large, drops = {'bad'}, {}, {}, {}, {}
for h = 1, hashes do
  local key = KEYS[1 + h]
  fault = wrong(key, 'hash')
  if fault then return fault end
  local dropped, n = ARGV[at] == '1', tonumber(ARGV[at + 1])
  drops[key] = dropped
  at = at + 2
  for from = at, at + n - 1, 2000 do
    local to = math.min(from + 1999, at + n - 1)
    local values = redis.call('HMGET', key, unpack(ARGV, from, to))
    local out, w = {}, 0
    for i = from, to do
      local value, amount = values[i - from + 1], ARGV[i + n]
      local sum = amount
      if value then
        if not integer(value) then
          sum = nil
        else
          local term = tonumber(amount)
          sum = term + tonumber(value)
          if term > -exact and term < exact and sum > -exact and sum < exact then
            if sum == 0 and dropped then
              gone[#gone + 1] = {key, ARGV[i]}
              sum = false
            else
              sum = format('%d', sum)
            end
          elseif plus(value, amount) then
            large[#large + 1] = {key, ARGV[i], amount}
            sum = false
          else
            sum = nil
          end
        end
      end
      if sum then
        out[w + 1], out[w + 2] = ARGV[i], sum
        w = w + 2
      elseif sum == nil then
        bad[#bad + 1], bad[#bad + 2] = h - 1, i - at
      end
    end
    if w > 0 then outs[#outs + 1] = {key, out} end
  end
  at = at + 2 * n
end
if #bad > 1 then return bad end
local names = {}
for s = 1, sets do
  local key, n = KEYS[1 + hashes + s], tonumber(ARGV[at])
  fault = wrong(key, 'set')
  if fault then return fault end
  names[s] = {key, at + 1, at + n}
  at = at + 1 + n
end
local single, lacking = tonumber(ARGV[at]), ARGV[at + 1] == '1'
at = at + 2
if single > 0 then
  fault = wrong(KEYS[#KEYS], 'list') or wrong(KEYS[#KEYS - 1], 'hash') or (lacking and wrong(KEYS[#KEYS - 2], 'hash'))
  if fault then return fault end
end
`;

/** Writes what `readCounts` has checked, beginning with the number of the batch. */
const writeCounts = `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
for _, out in ipairs(outs) do redis.call('HSET', out[1], unpack(out[2])) end
for _, one in ipairs(large) do redis.call('HINCRBY', one[1], one[2], one[3]) end
for _, one in ipairs(gone) do redis.call('HDEL', one[1], one[2]) end
for _, set in ipairs(names) do
  for from = set[2], set[3], 4000 do
    redis.call('SADD', set[1], unpack(ARGV, from, math.min(from + 3999, set[3])))
  end
end
`;

/**
 * Applies individual changes in order, each after a check of the current values.
 *
 * - A change is applied to all its fields or to none. Only its shared fields accept or reject it one by one.
 * - The amount that a shared field rejects is added to what the field lacks of this ledger, and the list gets one entry
 *   for that field. A later negative amount first reduces what the field lacks, so a void takes nothing from a field
 *   that never got it.
 * - A change that is rejected as a whole is kept in the hash of rejected changes. A void of one of its events reduces
 *   only that amount.
 */
const writeSingle = `
local answer = {'applied'}
local list, missing, lacks = KEYS[#KEYS], KEYS[#KEYS - 1], KEYS[#KEYS - 2]
local function reject(text, field)
  if text then redis.call('RPUSH', list, text) end
  answer[#answer + 1] = field
end
local function settle(key, field, amount, fits)
  redis.call('HINCRBY', lacks, field, amount)
  local rest = redis.call('HGET', lacks, field)
  if fits and sub(rest, 1, 1) == '-' then
    redis.call('HINCRBY', key, field, rest)
    rest = '0'
  end
  if rest == '0' then redis.call('HDEL', lacks, field) end
end
local function share(key, field, amount, text)
  local fits = plus(redis.call('HGET', key, field) or '0', amount)
  local held = redis.call('HGET', lacks, field)
  local sums = plus(held or '0', amount)
  if held and sums and sub(amount, 1, 1) == '-' and sub(held, 1, 1) ~= '-' then
    settle(key, field, amount, fits)
  elseif fits then
    redis.call('HINCRBY', key, field, amount)
  else
    if sums then settle(key, field, amount, false) end
    reject((not held or not sums) and text, field)
  end
end
local function add(key, field, amount)
  if redis.call('HINCRBY', key, field, amount) == 0 and drops[key] then redis.call('HDEL', key, field) end
end
local function remember(mark, amount)
  if mark == '' or not plus(redis.call('HGET', missing, mark) or '0', amount) then return end
  if redis.call('HINCRBY', missing, mark, amount) <= 0 then redis.call('HDEL', missing, mark) end
end
for _ = 1, single do
  local text, amount, mark, n = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local from, to = at + 4, at + 2 + 2 * n
  local isVoid = sub(amount, 1, 1) == '-'
  local bad = n < 0 and ''
  for i = from, to, 2 do
    local value = redis.call('HGET', KEYS[2 + tonumber(ARGV[i])], ARGV[i + 1]) or '0'
    if not bad and not plus(value, amount) then bad = ARGV[i + 1] end
  end
  if isVoid and mark ~= '' and redis.call('HEXISTS', missing, mark) == 1 then
    remember(mark, amount)
    bad = true
  elseif bad then
    reject(text, bad)
    if not isVoid then remember(mark, amount) end
  else
    for i = from, to, 2 do add(KEYS[2 + tonumber(ARGV[i])], ARGV[i + 1], amount) end
  end
  at = from + 2 * math.max(n, 0)
  local shared = tonumber(ARGV[at])
  for i = at + 1, at + 3 * shared, 3 do
    if not bad then share(KEYS[2 + tonumber(ARGV[i])], ARGV[i + 1], amount, ARGV[i + 2]) end
  end
  at = at + 1 + 3 * shared
end
return answer
`;

/**
 * Applies consecutive batches to the keys of one tag, once. Answers one of:
 *
 * - `applied`, and the field that caused each rejection (empty: the change has no field);
 * - `duplicate` and the kept batch: the tag already has these batches;
 * - `kept` and the kept batch: these batches do not follow it;
 * - `marked` and the mark of an unfinished rebuild;
 * - `type`, a key, its expected type and its actual type;
 * - `bad`, and the index of the hash and of the field (from 0) for each field that holds no integer or would overflow.
 *   The caller then sends the changes of these fields individually.
 *
 * Only `applied` and `duplicate` have written anything.
 */
export const deliverScript: RedisScript = {
  name: 'deliver',
  source: [arithmetic, typeCheck, numberRule, readCounts, writeCounts, writeSingle].join(''),
};

/**
 * KEYS: the hash of numbers, the ledger's own hash of a day. ARGV: ledger, mark, the number of expected fields of that
 * hash, their names, their values (empty: the field is missing). If a value differs, the script changes nothing, so a
 * call that arrives late or twice is harmless.
 */
const expectRule = `
local fault = wrong(KEYS[1], 'hash') or wrong(KEYS[2], 'hash')
if fault then return fault end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'changed'} end
local expected = tonumber(ARGV[3])
local at = 4 + 2 * expected
for from = 4, 3 + expected, 2000 do
  local to = math.min(from + 1999, 3 + expected)
  local values = redis.call('HMGET', KEYS[2], unpack(ARGV, from, to))
  for i = from, to do
    if (values[i - from + 1] or '') ~= ARGV[i + expected] then return {'changed'} end
  end
end
`;

/** Applies differences if the ledger's number is the mark of this rebuild and its own hash is as expected. */
export const adjustScript: RedisScript = {
  name: 'adjust',
  source: [arithmetic, typeCheck, expectRule, readCounts, writeCounts, writeSingle].join(''),
};

/**
 * Adds to a shared field what it lacks of a ledger. KEYS: the hash of numbers, the hash of the shared field, the hash
 * of what shared fields lack. ARGV: ledger, the mark that its number must be, the field. Answers `kept` if the field
 * cannot take the amount.
 */
export const addLackingScript: RedisScript = {
  name: 'add-lacking',
  source: `${arithmetic}${typeCheck}
local fault = wrong(KEYS[1], 'hash') or wrong(KEYS[2], 'hash') or wrong(KEYS[3], 'hash')
if fault then return fault end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'changed'} end
local lacks = redis.call('HGET', KEYS[3], ARGV[3])
if not lacks then return {'applied', 0} end
if not plus(redis.call('HGET', KEYS[2], ARGV[3]) or '0', lacks) then return {'kept', 0} end
redis.call('HINCRBY', KEYS[2], ARGV[3], lacks)
redis.call('HDEL', KEYS[3], ARGV[3])
return {'applied', 0}
`,
};

/** KEYS: the hash of numbers. ARGV: ledger, its current batch or mark (empty: none), its new batch or mark. */
export const renumberScript: RedisScript = {
  name: 'renumber',
  source: `${typeCheck}
local fault = wrong(KEYS[1], 'hash')
if fault then return fault end
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return {'changed'} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return {'applied', 0}
`,
};

/** Adds fields to a hash. KEYS: the hash of numbers, the hash. ARGV: ledger, its current mark, fields and values. */
export const stageScript: RedisScript = {
  name: 'stage',
  source: `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'changed'} end
for from = 3, #ARGV, 4000 do redis.call('HSET', KEYS[2], unpack(ARGV, from, math.min(from + 3999, #ARGV))) end
return {'applied', 0}
`,
};

/**
 * Replaces a hash. KEYS: the hash of numbers, the hash, its replacement. ARGV: ledger, its current mark, its new batch
 * or mark, `1` if the replacement has fields (otherwise the hash is deleted).
 */
export const replaceScript: RedisScript = {
  name: 'replace',
  source: `${typeCheck}
local fault = wrong(KEYS[1], 'hash')
if fault then return fault end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'changed'} end
if ARGV[4] == '1' and redis.call('EXISTS', KEYS[3]) == 0 then return {'changed'} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] == '1' then
  redis.call('RENAME', KEYS[3], KEYS[2])
else
  redis.call('UNLINK', KEYS[2])
end
return {'applied', 0}
`,
};

/**
 * Deletes a ledger's details of a day (KEYS of `detailKeys`) with its number. The list of rejected changes is deleted
 * with the details of the last ledger. ARGV: ledger. Works with a full memory.
 */
export const dropScript: RedisScript = {
  name: 'drop',
  source: `
redis.call('UNLINK', KEYS[2], KEYS[3])
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('UNLINK', KEYS[4]) end
return {'applied', 0}
`,
};

import type { RedisScript } from '../../redis-link/index.ts';

/**
 * Claims events for one instance, in their order. The hash of a period has a text for each key:
 *
 * - `u:<ledger>:<place>:<cell>:<quantity>`: an event. The ledger claimed it; the place is where the ledger keeps it
 *   (its run and its position there). After a void, `:<ledger>:<place>` of the void follows.
 * - `v:<ledger>:<place>`: a void.
 * - `t:<ledger>:<place>`: a void that arrived before its target. The key is that of the target.
 *
 * A ledger that repeats a claim from the same place gets the same answer, so a call may be repeated after a lost
 * answer.
 *
 * A ledger never stores an event that it already has. If it claims its own event from another place, it was set back
 * and had lost the event. The script then moves the claim to the new place, unless the event was voided.
 *
 * KEYS: the numbers of ledgers, the days, then for each period, oldest first, its claims and its cells. ARGV: ledger,
 * the index of the current period (from 1), its day, then lists, each with its length in front:
 *
 * 1. the cells;
 * 2. for each claim: its key; then its place; then the index of its cell (from 1; 0 for a void); then its quantity;
 * 3. for each void: the key of its target; then the place, the cell and the quantity with which this ledger counted the
 *    target (empty place: it did not); then `1` if this ledger has already taken the target back.
 *
 * Answers `type`, a key, its expected type and its actual type; or `claimed`, a digit for each claim (`outcome` of the
 * store's contract), and for each amount taken back: its cell, its quantity, its place if this ledger claimed it
 * (otherwise empty), and the index of its target (from 0).
 */
export const claimScript: RedisScript = {
  name: 'claim',
  source: `
local function wrong(key, expected)
  local found = redis.call('TYPE', key).ok
  if found ~= expected and found ~= 'none' then return {'type', key, expected, found} end
end
for index, key in ipairs(KEYS) do
  local fault = wrong(key, index == 2 and 'set' or 'hash')
  if fault then return fault end
end

local current, at = tonumber(ARGV[2]), 4
local function list()
  local first, count = at + 1, tonumber(ARGV[at])
  at = first + count
  return first, count
end
local cells = list()
local keys, count = list()
local places, kinds, quantities = list(), list(), list()
local targets, targetCount = list()
local heldPlaces, heldCells, heldQuantities, heldVoided = list(), list(), list(), list()

local held = {}
local function look(first, many)
  for period = 1, (#KEYS - 2) / 2 do
    local key = KEYS[1 + 2 * period]
    if redis.call('EXISTS', key) == 1 then
      for from = first, first + many - 1, 2000 do
        local to = math.min(from + 1999, first + many - 1)
        local values = redis.call('HMGET', key, unpack(ARGV, from, to))
        for i = from, to do
          local value = values[i - from + 1]
          if value and not held[ARGV[i]] then held[ARGV[i]] = {period, value} end
        end
      end
    end
  end
end
look(keys, count)
look(targets, targetCount)

local ledger = redis.call('HGET', KEYS[1], ARGV[1]) or tostring(redis.call('HLEN', KEYS[1]) + 1)

local cellKey, texts, numbers, newCells, known = KEYS[2 + 2 * current], {}, {}, {}, nil
local function cellNumber(index)
  local text = ARGV[cells + index - 1]
  if not numbers[text] then
    local number = redis.call('HGET', cellKey, text)
    if not number then
      known = (known or redis.call('HLEN', cellKey) / 2) + 1
      number = string.format('%d', known)
      newCells[#newCells + 1] = {text, number}
      texts[number] = text
    end
    numbers[text] = number
  end
  return numbers[text]
end

local writes = {}
local function put(period, key, value)
  held[key] = {period, value}
  local out = writes[period] or {}
  writes[period] = out
  out[#out + 1] = key
  out[#out + 1] = value
end

local back = {}
local function takeBack(index, owner)
  local target, place = ARGV[targets + index], ARGV[heldPlaces + index]
  if not held[target] and place ~= '' then
    local number = cellNumber(tonumber(ARGV[heldCells + index]))
    put(current, target, 'u:' .. ledger .. ':' .. place .. ':' .. number .. ':' .. ARGV[heldQuantities + index])
  end
  local aim = held[target]
  if not aim then
    put(current, target, 't:' .. owner)
    return '0'
  end
  if string.sub(aim[2], 1, 1) == 't' then return aim[2] == 't:' .. owner and '0' or '1' end
  local claimer, where, cell, quantity, by = string.match(aim[2], '^u:(%d+):([%d.]+):(%d+):(%d+):?(.*)$')
  if by == '' then put(aim[1], target, aim[2] .. ':' .. owner) end
  if ARGV[heldVoided + index] == '1' or (by ~= '' and by ~= owner) then return '1' end
  back[#back + 1] = aim[1] == current and texts[cell] or redis.call('HGET', KEYS[2 + 2 * aim[1]], cell)
  back[#back + 1] = quantity
  back[#back + 1] = claimer == ledger and where or ''
  back[#back + 1] = tostring(index)
  return '0'
end

local verdicts, voids, gone = {}, 0, {}
for i = 0, count - 1 do
  local key, owner, kind = ARGV[keys + i], ledger .. ':' .. ARGV[places + i], tonumber(ARGV[kinds + i])
  local state = held[key] and held[key][2]
  local form = state and string.sub(state, 1, 1)
  local verdict = '1'
  if kind == 0 then
    local index = voids
    voids = voids + 1
    if not state or state == 'v:' .. owner then
      local aim = held[ARGV[targets + index]]
      if aim and string.sub(aim[2], 1, 1) == 'v' then
        verdict = '3'
      else
        verdict = takeBack(index, owner)
        if not state then put(current, key, 'v:' .. owner) end
      end
    end
  elseif not state then
    put(current, key, 'u:' .. owner .. ':' .. cellNumber(kind) .. ':' .. ARGV[quantities + i])
    verdict = '0'
  elseif form == 't' then
    verdict = '2'
  elseif form == 'u' then
    local claimer, where, by = string.match(state, '^u:(%d+):([%d.]+):%d+:%d+:?(.*)$')
    if claimer == ledger and where == ARGV[places + i] then
      verdict = '0'
    elseif claimer == ledger and by ~= '' then
      verdict = '2'
    elseif claimer == ledger then
      gone[#gone + 1] = {held[key][1], key}
      put(current, key, 'u:' .. owner .. ':' .. cellNumber(kind) .. ':' .. ARGV[quantities + i])
      verdict = '0'
    end
  end
  verdicts[i + 1] = verdict
end

-- Write even without new claims: WAIT covers only the writes of its own connection.
redis.call('HSET', KEYS[1], ARGV[1], ledger)
for _, cell in ipairs(newCells) do redis.call('HSET', cellKey, cell[1], cell[2], cell[2], cell[1]) end
for _, claim in ipairs(gone) do redis.call('HDEL', KEYS[1 + 2 * claim[1]], claim[2]) end
for period, out in pairs(writes) do
  if period == current then redis.call('SADD', KEYS[2], ARGV[3]) end
  for from = 1, #out, 4000 do
    redis.call('HSET', KEYS[1 + 2 * period], unpack(out, from, math.min(from + 3999, #out)))
  end
end
return {'claimed', table.concat(verdicts), back}
`,
};

import { TonnageError } from '../../../base/index.ts';
import type { RedisLink } from '../../../redis-link/index.ts';

type Call = () => Promise<unknown>;

/** A link that sends each script twice and returns the first answer. `replay` sends all scripts again. */
export function repeatingLink(link: RedisLink): { readonly link: RedisLink; readonly replay: Call } {
  const calls: Call[] = [];
  const script: RedisLink['script'] = async (...call) => {
    calls.push(() => link.script(...call));
    const answer = await link.script(...call);
    await link.script(...call);
    return answer;
  };
  const replay = async () => {
    for (const call of calls) await call();
  };
  return { link: wrap(link, { script }), replay };
}

/** A link that fails from call number `count` on. `late` sends that call after all. */
export function breakingLink(link: RedisLink, count: number): { readonly link: RedisLink; readonly late: Call } {
  let calls = 0;
  let late: Call = () => Promise.resolve();
  const once = <T>(call: () => Promise<T>): Promise<T> => {
    calls += 1;
    if (calls < count) return call();
    if (calls === count) late = call;
    return Promise.reject(new TonnageError('redis_unavailable', 'broken by the test'));
  };
  const script: RedisLink['script'] = (...call) => once(() => link.script(...call));
  const send: RedisLink['send'] = (command) => once(() => link.send(command));
  return { link: wrap(link, { script, send }), late: () => late() };
}

function wrap(link: RedisLink, own: Partial<RedisLink>): RedisLink {
  return {
    send: (command) => link.send(command),
    pipeline: (commands) => link.pipeline(commands),
    script: (...call) => link.script(...call),
    waitReplicas: (...call) => link.waitReplicas(...call),
    evictionPolicies: () => link.evictionPolicies(),
    get status() {
      return link.status;
    },
    close: () => link.close(),
    ...own,
  };
}

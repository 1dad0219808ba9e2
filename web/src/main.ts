import { ApiError } from './api.ts';
import { byId, element } from './dom.ts';
import { readOverview } from './overview.ts';
import { createPage, type Page } from './page.ts';

const refreshMs = 60_000;

const place = byId('page');
const notice = byId('notice');
const button = byId('refresh');
const incomplete =
  'These totals are incomplete: the store of totals has lost counts. New pulls are still counted. Stop the server and run ' +
  '“tonnage ledger rebuild”; “tonnage ledger check” shows what is missing.';

let page: Page | undefined;
let reading = false;

/** Reads and shows the counts. On failure, keeps the previous counts and shows a notice. */
async function refresh(): Promise<void> {
  if (reading) return;
  reading = true;
  try {
    const overview = await readOverview();
    if (overview.ever === 0n && !overview.incomplete) showFirstSteps();
    else (page ??= createPage(place)).show(overview);
    notice.replaceChildren(...(overview.incomplete ? [element('p', { class: 'failure' }, incomplete)] : []));
    byId('updated').textContent = `As of ${new Date().toLocaleTimeString()}.`;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showFailure(error);
  } finally {
    reading = false;
    place.setAttribute('aria-busy', 'false');
  }
}

/** Shows how to make a first pull, if there are no counts yet. */
function showFirstSteps(): void {
  page = undefined;
  const command = `docker pull ${location.host}/library/alpine`;
  place.replaceChildren(
    element(
      'section',
      {},
      element('h2', {}, 'No pulls yet'),
      element('p', {}, 'Pull an image through this server, and it is counted here:'),
      element('pre', {}, element('code', {}, command)),
      element(
        'p',
        { class: 'quiet' },
        `Prefix the name of any image of a configured upstream with ${location.host}/. Without TLS, Docker accepts this address only on the same machine, or if it is one of Docker’s “insecure-registries”.`,
      ),
    ),
  );
}

function showFailure({ message }: ApiError): void {
  const rest = page === undefined ? '' : ' The counts below are older.';
  notice.replaceChildren(element('p', { class: 'failure' }, `The counts could not be read: ${message}${rest}`));
  if (page === undefined) place.replaceChildren();
}

button.addEventListener('click', () => void refresh());
setInterval(() => {
  if (document.visibilityState === 'visible') void refresh();
}, refreshMs);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void refresh();
});
void refresh();

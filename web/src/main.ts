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
  '“tonnage ledger rebuild”; “tonnage ledger check” says what is missing.';

let page: Page | undefined;
let reading = false;

/** Reads the counts and shows them. What was shown stays when they cannot be read, with a line that says so. */
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

/** Nothing has been counted yet: how to change that. */
function showFirstSteps(): void {
  page = undefined;
  const command = `docker pull ${location.host}/library/alpine`;
  place.replaceChildren(
    element(
      'section',
      {},
      element('h2', {}, 'No pulls yet'),
      element('p', {}, 'Pull an image through this server, and it shows here:'),
      element('pre', {}, element('code', {}, command)),
      element(
        'p',
        { class: 'quiet' },
        `Put ${location.host}/ before the name of any image of an upstream that is configured. Where this address has no TLS, Docker takes it only from the machine itself, or as one of its “insecure-registries”.`,
      ),
    ),
  );
}

function showFailure({ message }: ApiError): void {
  const rest = page === undefined ? '' : ' What you see is older.';
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

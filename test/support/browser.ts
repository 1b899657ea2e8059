import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

/** Debian's; PERFDB_TEST_CHROMIUM names another. */
export const chromiumPath = process.env['PERFDB_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
export const hasChromium = existsSync(chromiumPath)

export interface Shown extends AsyncDisposable {
  readonly page: Page
  /** What the page wrote to the console, threw, or asked of the network. */
  readonly complaints: readonly string[]
}

export interface Look {
  readonly width?: number
  readonly scheme?: 'light' | 'dark'
  readonly media?: 'screen' | 'print'
}

/** One browser for a file's tests. Without a sandbox, which root and containers have not, and without a drawing process, which nobody looks at. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  })
}

/** The only page of each browser: one more costs more than all that a test does with it. */
const opened = new WeakMap<Browser, { readonly page: Page; complaints: string[] }>()

async function pageOf(browser: Browser): Promise<{ readonly page: Page; complaints: string[] }> {
  const known = opened.get(browser)
  if (known !== undefined) return known
  const page = await browser.newPage()
  const one = { page, complaints: new Array<string>() }
  page.on('console', (message) => one.complaints.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => one.complaints.push(String(error)))
  page.on('request', (request) => one.complaints.push(`request: ${request.url()}`))
  opened.set(browser, one)
  return one
}

/** A report as a reader opens it: from a string, with no server behind it. One at a time in a browser. */
export async function show(browser: Browser, source: string, look: Look = {}): Promise<Shown> {
  const { width = 1600, scheme = 'light', media = 'screen' } = look
  const one = await pageOf(browser)
  const { page } = one
  await page.goto('about:blank')
  await page.setViewportSize({ width, height: 900 })
  await page.emulateMedia({ media, colorScheme: scheme })
  one.complaints = []
  await page.setContent(source)
  return {
    page,
    complaints: one.complaints,
    [Symbol.asyncDispose]: async () => {
      await page.goto('about:blank')
    },
  }
}

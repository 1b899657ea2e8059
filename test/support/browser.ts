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

/** One browser for a file's tests. Without a sandbox, which root and containers have not. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

/** A report as a reader opens it: from a string, with no server behind it. */
export async function show(browser: Browser, source: string, look: Look = {}): Promise<Shown> {
  const { width = 1600, scheme = 'light', media = 'screen' } = look
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme })
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => complaints.push(`request: ${request.url()}`))
  await page.emulateMedia({ media })
  await page.setContent(source)
  return { page, complaints, [Symbol.asyncDispose]: () => page.close() }
}

/** The little of oidc-provider that test/world/oidcWorld.ts touches; the package brings no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

  /** The koa context as far as a middleware of ours reads or writes it. */
  export interface Context {
    readonly method: string;
    readonly path: string;
    readonly req: IncomingMessage;
    readonly res: ServerResponse;
    readonly oidc: { readonly params?: Readonly<Record<string, string | undefined>> };
    status: number;
    body: unknown;
    type: string;
    respond: boolean;
    set(name: string, value: string): void;
  }

  export interface StoredToken {
    readonly jti: string;
    readonly accountId: string;
    readonly clientId: string;
    readonly grantId: string;
    readonly scope?: string;
    readonly exp: number;
    destroy(): Promise<void>;
  }

  interface TokenModel {
    find(value: string): Promise<StoredToken | undefined>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  export default class Provider {
    constructor(issuer: string, configuration: object);
    readonly AccessToken: TokenModel;
    readonly RefreshToken: TokenModel & { readonly prototype: { consume(this: object): Promise<void> } };
    readonly AuthorizationCode: TokenModel;
    readonly Grant: { find(id: string): Promise<StoredToken | undefined> };
    callback(): RequestListener;
    use(middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>): this;
    on(event: 'grant.saved', listener: (grant: StoredToken) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'grant.success', listener: (ctx: Context) => void): this;
  }
}
